using System.Buffers;
using System.Text.Json;

namespace CredBroker.Core.Audit;

/// <summary>
/// The lines of an export that are no records. Records stand between them byte for byte as they are stored.
/// <code>
/// export.opened   what was asked for
/// export.stream   once before each stream's records: its anchor, the position just before the first exported record
/// export.closed   how many records, each stream's head, and SHA-256 over every line of this export before it
/// </code>
/// </summary>
internal abstract record ExportLine
{
    private const string OpenedType = "export.opened";
    private const string StreamType = "export.stream";
    private const string ClosedType = "export.closed";

    private ExportLine() { }

    /// <summary>What was asked for; a null bound is open.</summary>
    public sealed record Opened(DateTimeOffset? From, DateTimeOffset? To, AuditCursor? After) : ExportLine;

    /// <summary>The anchor of the stream that follows.</summary>
    public sealed record Stream(AuditPosition Anchor) : ExportLine;

    /// <summary>The end.</summary>
    public sealed record Closed(long Records, IReadOnlyList<AuditPosition> Heads, string Digest) : ExportLine;

    /// <summary>The line's bytes, without the line feed.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("v", AuditRecordWriter.Version);
            switch (this)
            {
                case Opened opened:
                    json.WriteString("type", OpenedType);
                    AuditRecordWriter.WriteText(
                        json,
                        "from",
                        opened.From is { } from ? AuditRecordHeader.FormatTime(from) : null
                    );
                    AuditRecordWriter.WriteText(
                        json,
                        "to",
                        opened.To is { } to ? AuditRecordHeader.FormatTime(to) : null
                    );
                    AuditRecordWriter.WriteText(json, "after", opened.After?.ToString());
                    break;
                case Stream stream:
                    json.WriteString("type", StreamType);
                    json.WriteString("anchor", stream.Anchor.ToString());
                    break;
                case Closed closed:
                    json.WriteString("type", ClosedType);
                    json.WriteNumber("records", closed.Records);
                    json.WriteStartArray("heads");
                    foreach (var head in closed.Heads)
                    {
                        json.WriteStringValue(head.ToString());
                    }

                    json.WriteEndArray();
                    json.WriteString("digest", closed.Digest);
                    break;
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads a line; null for anything that this version would not have written, byte for byte.</summary>
    public static ExportLine? Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var json = new Utf8JsonReader(bytes);
            using var document = JsonDocument.ParseValue(ref json);
            var root = document.RootElement;
            ExportLine? line = Text(root, "type") switch
            {
                OpenedType => ReadOpened(root),
                StreamType => AuditPosition.TryParse(Text(root, "anchor"), out var anchor) ? new Stream(anchor!) : null,
                ClosedType => ReadClosed(root),
                _ => null,
            };
            return line is not null && bytes.SequenceEqual(line.ToBytes()) ? line : null;
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    private static Opened? ReadOpened(JsonElement root) =>
        TryTime(root, "from", out var from)
        && TryTime(root, "to", out var to)
        && TryCursor(Text(root, "after"), out var after)
            ? new(from, to, after)
            : null;

    private static Closed? ReadClosed(JsonElement root)
    {
        var heads = new List<AuditPosition>();
        foreach (var item in root.GetProperty("heads").EnumerateArray())
        {
            if (!AuditPosition.TryParse(item.GetString(), out var head))
            {
                return null;
            }

            heads.Add(head!);
        }

        return new(root.GetProperty("records").GetInt64(), heads, Text(root, "digest") ?? "");
    }

    private static bool TryTime(JsonElement root, string name, out DateTimeOffset? time)
    {
        var text = Text(root, name);
        var isTime = AuditRecordHeader.TryParseTime(text, out var parsed);
        time = isTime ? parsed : null;
        return isTime || text is null;
    }

    private static bool TryCursor(string? text, out AuditCursor? cursor)
    {
        cursor = null;
        return text is null || AuditCursor.TryParse(text, out cursor);
    }

    private static string? Text(JsonElement root, string name) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value) ? value.GetString() : null;
}
