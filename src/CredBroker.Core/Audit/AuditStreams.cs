using System.Buffers;
using System.Text.Json;

namespace CredBroker.Core.Audit;

/// <summary>The events that begin and end a stream, which is one broker process.</summary>
public static class AuditStreams
{
    /// <summary>The last event of a process that stopped in good order.</summary>
    public static AuditEvent Closed { get; } =
        new() { Type = AuditEventTypes.StreamClosed, Actor = AuditActor.Broker("store") };

    /// <summary>
    /// The first event of a process. It names the head of the stream before it, with its time: each stream names its
    /// predecessor, so that none can be left out of a log unnoticed, and a crash shows as a predecessor that was never
    /// closed.
    /// </summary>
    /// <param name="newestRecord">The last record found; null in an empty store.</param>
    public static AuditEvent Opened(byte[]? newestRecord)
    {
        var details = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(details))
        {
            json.WriteStartObject();
            json.WriteStartArray("heads");
            if (newestRecord is not null && AuditRecordHeader.Read(newestRecord) is { } head)
            {
                json.WriteStartObject();
                json.WriteString("stream", head.Stream);
                json.WriteNumber("sequence", head.Sequence);
                json.WriteString("hash", AuditRecordWriter.Hash(newestRecord));
                json.WriteString("time", AuditRecordHeader.FormatTime(head.Time));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new()
        {
            Type = AuditEventTypes.StreamOpened,
            Actor = AuditActor.Broker("store"),
            Details = details.WrittenMemory,
        };
    }

    /// <summary>The head that a first record names, and its time; null when it names none.</summary>
    internal static (AuditPosition Head, DateTimeOffset Time)? ReadPredecessor(ReadOnlySpan<byte> record)
    {
        try
        {
            var json = new Utf8JsonReader(record);
            using var document = JsonDocument.ParseValue(ref json);
            foreach (var head in document.RootElement.GetProperty("details").GetProperty("heads").EnumerateArray())
            {
                return AuditRecordHeader.TryParseTime(head.GetProperty("time").GetString(), out var time)
                    ? (
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
}
