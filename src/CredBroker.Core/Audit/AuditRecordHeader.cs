using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Text;

namespace CredBroker.Core.Audit;

/// <summary>The members that every record begins with, read from its bytes.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Sequence">Its place in the stream.</param>
/// <param name="Time">When it was committed, in milliseconds.</param>
/// <param name="Previous">The hash of the record before it.</param>
/// <param name="Type">What happened.</param>
public sealed record AuditRecordHeader(string Stream, long Sequence, DateTimeOffset Time, string Previous, string Type)
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    /// <summary>
    /// Reads the header; null for bytes that are no record of this format. The rest of the line is not looked at: its
    /// hash vouches for it.
    /// </summary>
    public static AuditRecordHeader? Read(ReadOnlySpan<byte> record)
    {
        try
        {
            var json = new Utf8JsonReader(record, new JsonReaderOptions { MaxDepth = 128 });
            if (
                !json.Read()
                || json.TokenType != JsonTokenType.StartObject
                || !Member(ref json, "v"u8, JsonTokenType.Number)
                || !json.TryGetInt32(out var version)
                || version != AuditRecordWriter.Version
            )
            {
                return null;
            }

            return
                Text(ref json, "stream"u8) is { } stream
                && Ids.IsValid(stream)
                && Member(ref json, "seq"u8, JsonTokenType.Number)
                && json.TryGetInt64(out var sequence)
                && sequence > 0
                && TryParseTime(Text(ref json, "time"u8), out var time)
                && Text(ref json, "previous"u8) is { } previous
                && AuditPosition.IsHash(previous)
                && Text(ref json, "type"u8) is { } type
                ? new(stream, sequence, time, previous, type)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, or a string that is not UTF-8: no record.
            return null;
        }
    }

    internal static bool TryParseTime(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            text,
            TimeFormat,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out time
        );

    internal static string FormatTime(DateTimeOffset time) =>
        time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static string? Text(ref Utf8JsonReader json, ReadOnlySpan<byte> name) =>
        Member(ref json, name, JsonTokenType.String) ? json.GetString() : null;

    private static bool Member(ref Utf8JsonReader json, ReadOnlySpan<byte> name, JsonTokenType type) =>
        json.Read()
        && json.TokenType == JsonTokenType.PropertyName
        && json.ValueTextEquals(name)
        && json.Read()
        && json.TokenType == type;
}
