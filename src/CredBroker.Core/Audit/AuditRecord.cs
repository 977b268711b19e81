using CredBroker.Core.Text;

namespace CredBroker.Core.Audit;

/// <summary>A stored record.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Sequence">Its place in the stream.</param>
/// <param name="Previous">The hash of the record before it; 64 zeros for the first.</param>
/// <param name="Bytes">
/// One line of JSON in UTF-8, without the line feed. Its SHA-256 is the next record's <c>previous</c>.
/// </param>
public sealed record AuditRecord(string Stream, long Sequence, string Previous, ReadOnlyMemory<byte> Bytes);
