using System.Text.Json;

namespace CredBroker.Core.Audit.Events;

/// <summary>
/// The beginning of the log was written to a file and verified, and is deleted from the store from now on. What remains
/// begins after the record that this names: file and rest verify together, one after the other.
/// </summary>
public sealed record AuditArchived : AuditFact
{
    /// <summary>Its name in the log.</summary>
    public const string TypeName = "audit.archived";

    /// <inheritdoc/>
    public override string Type => TypeName;

    /// <summary>What was archived.</summary>
    public required AuditArchive Archive { get; init; }

    /// <inheritdoc/>
    public override bool HasDetails => true;

    /// <inheritdoc/>
    public override void WriteDetails(Utf8JsonWriter json)
    {
        json.WriteString("file", Archive.File);
        json.WriteNumber("records", Archive.Records);
        json.WriteString("through", Archive.End.ToString());
        json.WriteString("latest", AuditRecordHeader.FormatTime(Archive.Latest));
    }

    /// <summary>Reads back where the archive ends, and its file; null for what no broker wrote.</summary>
    internal static (AuditPosition End, string File)? Read(ReadOnlySpan<byte> record)
    {
        try
        {
            var json = new Utf8JsonReader(record);
            using var document = JsonDocument.ParseValue(ref json);
            var details = document.RootElement.GetProperty("details");
            return
                AuditPosition.TryParse(details.GetProperty("through").GetString(), out var end)
                && details.GetProperty("file").GetString() is { } file
                ? (end!, file)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // If it was altered, the chain says so.
            return null;
        }
    }
}
