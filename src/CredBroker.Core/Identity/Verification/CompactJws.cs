using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// A signed token in compact form (RFC 7515), read strictly and <em>before</em> the token library sees it: the library
/// is lenient where two readers could differ. Nothing in it is verified yet.
/// </summary>
public sealed class CompactJws : IDisposable
{
    /// <summary>The longest token that is read, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    /// <summary>The longest <c>kid</c>, in characters.</summary>
    public const int MaxKeyIdLength = 256;

    // crit and b64 change what is signed, enc and zip are JWE's, the rest hand us the key that the token wants to be
    // checked with.
    private static readonly string[] RefusedMembers = ["crit", "b64", "enc", "zip", "jku", "jwk", "x5u", "x5c"];

    private readonly JsonDocument _payload;

    private readonly Header _header;

    private CompactJws(string text, Header header, JsonDocument payload)
    {
        Text = text;
        _header = header;
        _payload = payload;
    }

    private sealed record Header(string Algorithm, string? KeyId, string? Type);

    /// <summary>The token as it was sent.</summary>
    public string Text { get; }

    /// <summary>The header's <c>alg</c>: a claim of the sender's, to be held against an allow-list.</summary>
    public string Algorithm => _header.Algorithm;

    /// <summary>The header's <c>kid</c>; null when it has none.</summary>
    public string? KeyId => _header.KeyId;

    /// <summary>The header's <c>typ</c>; null when it has none.</summary>
    public string? Type => _header.Type;

    /// <summary>The signature's length in bytes.</summary>
    public int SignatureLength => Base64Url.GetMaxDecodedLength(Text.Length - Text.LastIndexOf('.') - 1);

    /// <summary>The payload, an object; valid until this is disposed.</summary>
    public JsonElement Claims => _payload.RootElement;

    /// <summary>Reads a token. A refusal says what is wrong and never repeats the token.</summary>
    public static bool TryRead(
        string text,
        [NotNullWhen(true)] out CompactJws? token,
        [NotNullWhen(false)] out Refusal? refusal
    )
    {
        token = null;
        if (text.Length > MaxLength)
        {
            refusal = new(
                RefusalCode.TokenTooLarge,
                $"The token is longer than {MaxLength} characters; ask the issuer for one with fewer claims."
            );
            return false;
        }

        if (!TrySplit(text, out var head, out var body, out refusal))
        {
            return false;
        }

        if (!StrictJson.TryReadObject(head, out var headerDocument))
        {
            refusal = Malformed($"its header {JsonFault.Of(head)}");
            return false;
        }

        using (headerDocument)
        {
            if (!ReadHeader(headerDocument.RootElement).Passes(out var header, out refusal))
            {
                return false;
            }

            if (!StrictJson.TryReadObject(body, out var bodyDocument))
            {
                refusal = Malformed($"its payload {JsonFault.Of(body)}");
                return false;
            }

            token = new CompactJws(text, header, bodyDocument);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _payload.Dispose();

    /// <summary>Never the token itself.</summary>
    public override string ToString() => "[token]";

    private static bool TrySplit(
        string text,
        out byte[] header,
        out byte[] payload,
        [NotNullWhen(false)] out Refusal? refusal
    )
    {
        header = payload = [];
        refusal = null;
        Span<Range> ranges = stackalloc Range[6];
        var parts = text.AsSpan().Split(ranges, '.');
        if (parts != 3)
        {
            refusal = Malformed(
                parts == 5
                    ? "it is encrypted (JWE); send a signed one (JWS)"
                    : "it does not have the three parts of a compact JWS"
            );
        }
        else if (text.AsSpan(ranges[2]).IsEmpty)
        {
            refusal = Malformed("it has no signature");
        }
        else if (!Base64UrlText.TryDecode(text.AsSpan(ranges[0]), out var first))
        {
            refusal = NotBase64Url("header");
        }
        else if (!Base64UrlText.TryDecode(text.AsSpan(ranges[1]), out var second))
        {
            refusal = NotBase64Url("payload");
        }
        else if (!Base64UrlText.TryDecode(text.AsSpan(ranges[2]), out _))
        {
            refusal = NotBase64Url("signature");
        }
        else
        {
            (header, payload) = (first, second);
        }

        return refusal is null;
    }

    private static Check<Header> ReadHeader(JsonElement header)
    {
        foreach (var name in RefusedMembers)
        {
            if (header.TryGetProperty(name, out _))
            {
                return new Refusal(
                    RefusalCode.HeaderNotAccepted,
                    $"The token's header carries '{name}', which is never accepted."
                );
            }
        }

        if (!TryReadString(header, "alg", out var alg) || alg is null)
        {
            return Malformed("its header has no 'alg' that is a text");
        }

        if (!TryReadString(header, "typ", out var type))
        {
            return Malformed("its header's 'typ' is no text");
        }

        if (
            !TryReadString(header, "kid", out var keyId)
            || keyId is { Length: 0 or > MaxKeyIdLength }
            || (keyId ?? "").Any(char.IsControl)
        )
        {
            return Malformed($"its header's 'kid' is not a text of 1 to {MaxKeyIdLength} printable characters");
        }

        return new Check<Header>.Passed(new(alg, keyId, type));
    }

    private static bool TryReadString(JsonElement header, string name, out string? value)
    {
        value = null;
        if (!header.TryGetProperty(name, out var member))
        {
            return true;
        }

        if (member.ValueKind != JsonValueKind.String)
        {
            return false;
        }

        value = member.GetString();
        return true;
    }

    private static Refusal NotBase64Url(string part) => Malformed($"its {part} is not base64url without padding");

    private static Refusal Malformed(string what) =>
        new(RefusalCode.TokenMalformed, $"The token cannot be read: {what}.");
}
