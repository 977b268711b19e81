using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CredBroker.Core.Requests;
using Microsoft.Net.Http.Headers;

namespace CredBroker.Server.Endpoints.Input;

/// <summary>
/// Reads a bounded JSON body: strict in its text (<see cref="RequestJson"/>) and in its members (the given metadata
/// refuses unknown and duplicate ones).
/// </summary>
internal static class RequestBody
{
    /// <summary>The most that any call takes. Kestrel enforces it too, before the bytes are here.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>The body, or why it was refused.</summary>
    /// <param name="http">The call.</param>
    /// <param name="type">How it is read.</param>
    /// <param name="also">A media type of JSON that this call takes besides.</param>
    public static async ValueTask<Checked<T>> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type, string? also = null)
        where T : class
    {
        if (!IsJson(http.Request.ContentType, also))
        {
            return new Refusal(RefusalCode.MediaTypeNotSupported, "Send the body as application/json.");
        }

        if (http.Request.ContentLength > MaxBytes)
        {
            return TooLarge;
        }

        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (read.Buffer.Length > MaxBytes)
            {
                reader.AdvanceTo(read.Buffer.End);
                return TooLarge;
            }

            if (read.IsCompleted)
            {
                var result = Parse(read.Buffer, type);
                reader.AdvanceTo(read.Buffer.End);
                return result;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static Checked<T> Parse<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        if (bytes.IsSingleSegment)
        {
            return Parse(bytes.FirstSpan, type);
        }

        var length = (int)bytes.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bytes.CopyTo(buffer);
            return Parse(buffer.AsSpan(0, length), type);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static Checked<T> Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        if (RequestJson.Fault(json) is { } fault)
        {
            return new Refusal(RefusalCode.BodyInvalid, fault);
        }

        try
        {
            return JsonSerializer.Deserialize(json, type) is { } body
                ? body
                : new Refusal(RefusalCode.BodyInvalid, "The body is null; send a JSON object.");
        }
        catch (JsonException e)
        {
            return new Refusal(RefusalCode.BodyInvalid, Explain(e));
        }
    }

    /// <summary>
    /// Says where, and which members are missing, without the names of the broker's own types that the exception's
    /// message holds.
    /// </summary>
    private static string Explain(JsonException e)
    {
        const string missing = "missing required properties including: ";
        if (
            e.Message.IndexOf(missing, StringComparison.Ordinal) is >= 0 and var at
            && e.Message.IndexOf('.', at) is >= 0 and var end
        )
        {
            return $"Members are missing at {Path(e)}: {e.Message[(at + missing.Length)..end]}.";
        }

        return $"The body does not fit this call at {Path(e)}: "
            + "a member that is unknown or there twice, or a value of another kind.";
    }

    private static string Path(JsonException e) => e.Path is { Length: > 0 and <= 200 } path ? path : "$";

    private static bool IsJson(string? contentType, string? also) =>
        MediaTypeHeaderValue.TryParse(contentType, out var media)
        && (
            media.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (also is not null && media.MediaType.Equals(also, StringComparison.OrdinalIgnoreCase))
        )
        && (!media.Charset.HasValue || media.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static Refusal TooLarge => new(RefusalCode.BodyTooLarge, $"The body is larger than {MaxBytes} bytes.");
}
