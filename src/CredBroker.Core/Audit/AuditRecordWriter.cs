using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using CredBroker.Core.Text;

namespace CredBroker.Core.Audit;

/// <summary>
/// Writes audit records: one line of JSON with its members in a fixed order. The caller's part
/// (<see cref="WriteBody"/>) is made before the commit, beside others; the commit writer adds what it alone assigns
/// (<see cref="Seal"/>). What it returns is the record: stored, hashed and exported as it is.
/// </summary>
public static class AuditRecordWriter
{
    /// <summary>The version of the format, in the member <c>v</c>.</summary>
    public const int Version = 1;

    /// <summary>No record is longer, so that a reader can bound its lines.</summary>
    public const int MaxRecordBytes = 1 << 20;

    private const int MaxDepth = 128;
    private const int MaxScratchBytes = 64 << 10;

    // Each exchange writes two bodies, and a buffer that grows to hold one was a quarter of all that it allocated. Taken
    // while in use, and not given back by what threw.
    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Body, Utf8JsonWriter Json)? _scratch;

    /// <summary>
    /// How the broker writes JSON that it keeps: text as it is, not six bytes for one as for a web page. Still one line:
    /// controls and line separators are escaped.
    /// </summary>
    public static JsonWriterOptions Json { get; } =
        new() { MaxDepth = MaxDepth, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The members from <c>type</c> on, as a JSON object.</summary>
    /// <param name="auditEvent">The event.</param>
    /// <param name="decision">
    /// The decision record, for an event that has no details of its own: JSON of a serializer's making, written as it
    /// is.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The event does not write its details as the members of one JSON object in UTF-8 on one line, or it is too long.
    /// </exception>
    public static byte[] WriteBody(AuditEvent auditEvent, ReadOnlyMemory<byte> decision = default)
    {
        var what = auditEvent.What;
        var (body, json) = _scratch ?? NewScratch();
        _scratch = null;
        body.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
        json.WriteString("type", what.Type);
        WriteActor(json, auditEvent.Actor);
        WriteText(json, "lease", auditEvent.LeaseId);
        WriteText(json, "decision", auditEvent.DecisionId);
        WriteText(json, "revocation", auditEvent.RevocationId);
        WriteText(json, "process", auditEvent.Process);
        WriteText(json, "task", auditEvent.TaskId);
        WriteText(json, "credential", auditEvent.Credential);
        WriteText(json, "reason", auditEvent.Reason);
        WriteText(json, "trace", auditEvent.TraceId);
        auditEvent.Holder?.WriteTo(json);
        auditEvent.Judgement?.WriteTo(json);
        if (what.HasDetails)
        {
            WriteDetails(json, what);
        }
        else if (!decision.IsEmpty)
        {
            json.WritePropertyName("details");
            json.WriteRawValue(decision.Span, skipInputValidation: true);
        }

        json.WriteEndObject();
        json.Flush();
        CheckForm(what, body.WrittenSpan);
        var written = Ascii.IsValid(body.WrittenSpan) ? body.WrittenSpan.ToArray() : Shown(body.WrittenSpan);
        CheckLength(what, written.Length);
        if (body.Capacity <= MaxScratchBytes)
        {
            _scratch = (body, json);
        }

        return written;
    }

    /// <summary>
    /// The finished record: stream, sequence, time and previous hash before the body, and after it, where several brokers
    /// append to the stream, which of them it was. There it is in nobody's way who reads an earlier version's records.
    /// </summary>
    /// <param name="stream">The stream's id.</param>
    /// <param name="sequence">The record's place in it.</param>
    /// <param name="time">The store's clock; written in milliseconds, UTC.</param>
    /// <param name="previous">The hash of the record before it, or <see cref="AuditPosition.NoHash"/>.</param>
    /// <param name="body">What <see cref="WriteBody"/> returned.</param>
    /// <param name="broker">The broker's id; null where the stream is one broker's.</param>
    public static byte[] Seal(
        string stream,
        long sequence,
        DateTimeOffset time,
        string previous,
        ReadOnlySpan<byte> body,
        string? broker = null
    )
    {
        if (broker is not null && !Ids.IsValid(broker))
        {
            throw new ArgumentException("A broker's id has not the form it must have.", nameof(broker));
        }

        Span<byte> head = stackalloc byte[256];
        if (
            !Utf8.TryWrite(
                head,
                CultureInfo.InvariantCulture,
                $$"""{"v":{{Version}},"stream":"{{stream}}","seq":{{sequence}}"""
                    + $$""","time":"{{time.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}}","previous":"{{previous}}",""",
                out var length
            )
        )
        {
            throw new ArgumentException("A stream's id or a hash has not the length it must have.");
        }

        var end = broker is null ? [] : Encoding.ASCII.GetBytes($$""","broker":"{{broker}}"}""");
        var middle = end.Length == 0 ? body[1..] : body[1..^1];
        return [.. head[..length], .. middle, .. end];
    }

    /// <summary>The hash that the next record names: SHA-256 over the record's bytes, lower-case hex.</summary>
    public static string Hash(ReadOnlySpan<byte> record)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(record, hash);
        return Convert.ToHexStringLower(hash);
    }

    /// <summary>Writes a member, unless there is nothing to write.</summary>
    internal static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    private static (ArrayBufferWriter<byte> Body, Utf8JsonWriter Json) NewScratch()
    {
        var body = new ArrayBufferWriter<byte>(4 << 10);
        return (body, new(body, Json));
    }

    private static void WriteActor(Utf8JsonWriter json, AuditActor actor)
    {
        json.WriteStartObject("actor");
        json.WriteString("kind", actor.Kind);
        json.WriteString("issuer", actor.Issuer);
        json.WriteString("subject", actor.Subject);
        json.WriteString("instance", actor.Instance);
        json.WriteEndObject();
    }

    private static void WriteDetails(Utf8JsonWriter json, AuditFact what)
    {
        json.WriteStartObject("details");
        var depth = json.CurrentDepth;
        try
        {
            what.WriteDetails(json);
            if (json.CurrentDepth != depth)
            {
                throw new InvalidOperationException("It opens what it does not close, or closes what it did not open.");
            }

            json.WriteEndObject();
        }
        catch (Exception e) when (e is InvalidOperationException or JsonException)
        {
            throw new ArgumentException($"The details of {what.Type} are not the members of a JSON object.", e);
        }
    }

    /// <summary>
    /// The same JSON, in which nothing hides: what shows nothing, or turns the direction of what follows, is escaped, and
    /// that is what names may not hold either.
    /// </summary>
    private static byte[] Shown(ReadOnlySpan<byte> body)
    {
        var shown = new ArrayBufferWriter<byte>(body.Length);
        Span<byte> escaped = stackalloc byte[6];
        Span<char> units = stackalloc char[2];
        while (Rune.DecodeFromUtf8(body, out var rune, out var length) == OperationStatus.Done)
        {
            if (rune.IsAscii || !VisibleText.IsHidden(rune))
            {
                shown.Write(body[..length]);
            }
            else
            {
                foreach (var unit in units[..rune.EncodeToUtf16(units)])
                {
                    Utf8.TryWrite(escaped, $"\\u{(int)unit:x4}", out _);
                    shown.Write(escaped);
                }
            }

            body = body[length..];
        }

        return shown.WrittenSpan.ToArray();
    }

    // Line feeds are white space in JSON but end a record in an export; bytes that are not UTF-8 would pass as string
    // content.
    private static void CheckForm(AuditFact what, ReadOnlySpan<byte> body)
    {
        if (body.ContainsAny((byte)'\n', (byte)'\r') || !Utf8.IsValid(body))
        {
            throw new ArgumentException($"The event {what.Type} is not one line of UTF-8.");
        }

        CheckLength(what, body.Length);
    }

    // Before and after what is hidden is written as six bytes or twelve: what is too long anyway is not gone through.
    private static void CheckLength(AuditFact what, int length)
    {
        if (length > MaxRecordBytes - 256)
        {
            throw new ArgumentException($"The event {what.Type} of {length} bytes is longer than a record may be.");
        }
    }
}
