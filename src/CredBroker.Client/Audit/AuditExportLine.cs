namespace CredBroker.Client;

/// <summary>One line of an export.</summary>
/// <param name="Bytes">
/// Its bytes as they were exported, without the line feed. Written one after the other, they verify offline.
/// </param>
/// <param name="Cursor">For a record: where a later export goes on. Null for the export's own lines.</param>
public readonly record struct AuditExportLine(ReadOnlyMemory<byte> Bytes, string? Cursor);
