namespace CredBroker.Core.Audit;

/// <summary>A beginning of the log that can be cut off: all records up to one, and no others, are older than a time.</summary>
/// <param name="End">The last of them.</param>
/// <param name="Before">The time.</param>
/// <param name="Bytes">How many bytes they have.</param>
public sealed record AuditPrefix(AuditPosition End, DateTimeOffset Before, long Bytes);
