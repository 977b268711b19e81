using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;

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

    /// <summary>The members from <c>type</c> on, as a JSON object.</summary>
    /// <param name="auditEvent">The event.</param>
    /// <param name="defaultDetails">
    /// Details for an event that brings none: JSON of a serializer's making, which is not checked again.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The details are no JSON object in UTF-8, or the event is too long.
    /// </exception>
    public static byte[] WriteBody(AuditEvent auditEvent, ReadOnlyMemory<byte> defaultDetails = default)
    {
        var body = new ArrayBufferWriter<byte>(512 + Math.Max(auditEvent.Details.Length, defaultDetails.Length));
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { MaxDepth = MaxDepth }))
        {
            json.WriteStartObject();
            json.WriteString("type", auditEvent.Type);
            WriteActor(json, auditEvent.Actor);
            WriteText(json, "lease", auditEvent.LeaseId);
            WriteText(json, "decision", auditEvent.DecisionId);
            WriteText(json, "revocation", auditEvent.RevocationId);
            WriteText(json, "process", auditEvent.Process);
            WriteText(json, "task", auditEvent.TaskId);
            WriteText(json, "credential", auditEvent.Credential);
            WriteText(json, "reason", auditEvent.Reason);
            WriteText(json, "trace", auditEvent.TraceId);
            var details = auditEvent.Details.IsEmpty ? defaultDetails : OneLine(auditEvent.Details);
            if (!details.IsEmpty)
            {
                json.WritePropertyName("details");
                json.WriteRawValue(details.Span, skipInputValidation: true);
            }

            json.WriteEndObject();
        }

        return body.WrittenCount <= MaxRecordBytes - 256
            ? body.WrittenSpan.ToArray()
            : throw new ArgumentException(
                $"An audit event of {body.WrittenCount} bytes is longer than a record may be.",
                nameof(auditEvent)
            );
    }

    /// <summary>The finished record: stream, sequence, time and previous hash before the body.</summary>
    /// <param name="stream">The stream's id.</param>
    /// <param name="sequence">The record's place in it.</param>
    /// <param name="time">The store's clock; written in milliseconds, UTC.</param>
    /// <param name="previous">The hash of the record before it, or <see cref="AuditPosition.NoHash"/>.</param>
    /// <param name="body">What <see cref="WriteBody"/> returned.</param>
    public static byte[] Seal(
        string stream,
        long sequence,
        DateTimeOffset time,
        string previous,
        ReadOnlySpan<byte> body
    )
    {
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

        var record = new byte[length + body.Length - 1];
        head[..length].CopyTo(record);
        body[1..].CopyTo(record.AsSpan(length));
        return record;
    }

    /// <summary>The hash that the next record names: SHA-256 over the record's bytes, lower-case hex.</summary>
    public static string Hash(ReadOnlySpan<byte> record)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(record, hash);
        return Convert.ToHexStringLower(hash);
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

    private static void WriteText(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    // Line feeds are white space in JSON but end a record in an export; bytes that are not UTF-8 would pass as string
    // content.
    private static ReadOnlyMemory<byte> OneLine(ReadOnlyMemory<byte> details)
    {
        if (!Utf8.IsValid(details.Span))
        {
            throw new ArgumentException("An audit event's details must be UTF-8.");
        }

        try
        {
            using var document = JsonDocument.Parse(details, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new ArgumentException("An audit event's details must be one JSON object.");
            }

            return details.Span.ContainsAny((byte)'\n', (byte)'\r') ? Rewrite(document.RootElement) : details;
        }
        catch (JsonException e)
        {
            throw new ArgumentException("An audit event's details must be one JSON object.", e);
        }
    }

    private static ReadOnlyMemory<byte> Rewrite(JsonElement details)
    {
        var line = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(line, new JsonWriterOptions { MaxDepth = MaxDepth }))
        {
            details.WriteTo(json);
        }

        return line.WrittenMemory;
    }
}
