using System.Text.Json;

namespace CredBroker.Core.Audit;

/// <summary>
/// The head that a stream's first record names: the last record of the stream before it. Each stream names its
/// predecessor, so all of them hang together.
/// </summary>
/// <param name="Head">Where that record stands.</param>
/// <param name="Time">When it was committed.</param>
public sealed record StreamPredecessor(AuditPosition Head, DateTimeOffset Time)
{
    /// <summary>What a new stream has to name; null where there is nothing, or no record, before it.</summary>
    /// <param name="newestRecord">The last record found; null in an empty store.</param>
    public static StreamPredecessor? Of(byte[]? newestRecord) =>
        newestRecord is not null && AuditRecordHeader.Read(newestRecord) is { } header
            ? new(new(header.Stream, header.Sequence, AuditRecordWriter.Hash(newestRecord)), header.Time)
            : null;

    /// <summary>Reads it back from a stream's first record; null when that names none.</summary>
    internal static StreamPredecessor? Read(ReadOnlySpan<byte> record)
    {
        try
        {
            var json = new Utf8JsonReader(record);
            using var document = JsonDocument.ParseValue(ref json);
            foreach (var head in document.RootElement.GetProperty("details").GetProperty("heads").EnumerateArray())
            {
                return AuditRecordHeader.TryParseTime(head.GetProperty("time").GetString(), out var time)
                    ? new(
                        new(
                            head.GetProperty("stream").GetString()!,
                            head.GetProperty("sequence").GetInt64(),
                            head.GetProperty("hash").GetString()!
                        ),
                        time
                    )
                    : null;
            }
        }
        catch (Exception e)
            when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            // Not as a broker writes it; if it was altered, the chain says so.
        }

        return null;
    }

    /// <summary>Writes it as an element of <c>heads</c>.</summary>
    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("stream", Head.Stream);
        json.WriteNumber("sequence", Head.Sequence);
        json.WriteString("hash", Head.Hash);
        json.WriteString("time", AuditRecordHeader.FormatTime(Time));
        json.WriteEndObject();
    }
}
