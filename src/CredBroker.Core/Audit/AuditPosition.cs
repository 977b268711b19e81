namespace CredBroker.Core.Audit;

/// <summary>Where an audit record stands.</summary>
/// <param name="Stream">The stream: one broker process, a UUIDv7 per start.</param>
/// <param name="Sequence">1 for the first record of the stream.</param>
/// <param name="Hash">SHA-256 of the record's bytes, lower-case hex.</param>
public sealed record AuditPosition(string Stream, long Sequence, string Hash);
