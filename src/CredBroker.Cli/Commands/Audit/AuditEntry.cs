using System.Globalization;
using System.Text.Json;

namespace CredBroker.Cli.Commands.Audit;

/// <summary>
/// One audit record, taken apart for people. Read as it comes: whether it was altered, only <c>audit verify</c> tells.
/// </summary>
internal sealed record AuditEntry
{
    private AuditEntry(JsonElement record) => Record = record;

    /// <summary>The whole record.</summary>
    public JsonElement Record { get; }

    public string Stream => Text("stream");

    public long Sequence => Record.GetProperty("seq").GetInt64();

    public string Time => Text("time");

    public string Type => Text("type");

    public string Lease => Text("lease");

    public string Revocation => Text("revocation");

    public string Task => Text("task");

    public string Process => Text("process");

    public string Credential => Text("credential");

    public string Reason => Text("reason");

    /// <summary>The agent as policy calls it; from the decision itself in records of earlier versions.</summary>
    public string Agent =>
        Text("holder", "agent") is { Length: > 0 } agent ? agent : Text("details", "decision", "agent");

    /// <summary>The request for approval that it is about, or stands on.</summary>
    public string Approval =>
        Text("details", "approval") is { Length: > 0 } approval ? approval : Text("details", "approval", "id");

    /// <summary>The rule that decided.</summary>
    public string Rule => Text("holder", "rule") is { Length: > 0 } rule ? rule : Text("details", "decision", "ruleId");

    /// <summary>Who did it, in one word where that is enough.</summary>
    public string Actor =>
        Text("actor", "kind") == "broker"
            ? $"broker:{Text("actor", "subject")}"
            : $"{Text("actor", "subject")}{(Text("actor", "instance") is { Length: > 0 } instance ? $" ({instance})" : "")}";

    /// <summary>Reads a line of an export; null for a line that is no record.</summary>
    public static AuditEntry? Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 128 });
            var root = document.RootElement;
            return
                root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("stream", out var stream)
                && stream.ValueKind == JsonValueKind.String
                && root.TryGetProperty("seq", out var sequence)
                && sequence.TryGetInt64(out _)
                ? new(root.Clone())
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A text of the record, however deep; empty where there is none.</summary>
    public string Text(params ReadOnlySpan<string> path)
    {
        var value = Record;
        foreach (var name in path)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out value))
            {
                return "";
            }
        }

        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString() ?? "",
            JsonValueKind.Number => value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            _ => "",
        };
    }

    /// <summary>What came of it, in a few words.</summary>
    public string Outcome()
    {
        string[] words =
        [
            Reason,
            Text("facts", "remediation", "detail"),
            Text("details", "publicName") is { Length: > 0 } name ? $"as {name}" : "",
            Text("details", "expiresAt") is { Length: > 0 } end ? $"until {end}" : "",
            Text("details", "error"),
            Text("details", "stillValid"),
            Text("details", "summary") is { Length: > 0 } summary ? $"\"{summary}\"" : "",
            Type.StartsWith("revocation.", StringComparison.Ordinal) ? Text("details", "reason") : "",
        ];
        return string.Join("; ", words.Where(word => word.Length > 0));
    }

    /// <summary>Its place among all records: time first, then as they were written.</summary>
    public static int Compare(AuditEntry one, AuditEntry other)
    {
        var byTime = string.CompareOrdinal(one.Time, other.Time);
        var byStream = byTime != 0 ? byTime : string.CompareOrdinal(one.Stream, other.Stream);
        return byStream != 0 ? byStream : one.Sequence.CompareTo(other.Sequence);
    }

    /// <summary>Its place as <c>stream:sequence</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stream}:{Sequence}");
}
