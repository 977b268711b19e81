using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using CredBroker.Core.Text;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// An OIDC issuer's JWKS (RFC 7517): what can be used is kept, what cannot is skipped with its reason.
/// </summary>
public sealed class JsonWebKeys
{
    /// <summary>The largest key document that is read, in bytes.</summary>
    public const int MaxBytes = 512 * 1024;

    /// <summary>The most entries that a key document may have.</summary>
    public const int MaxEntries = 100;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private JsonWebKeys(TrustAnchors anchors, IReadOnlyList<string> skipped)
    {
        Anchors = anchors;
        Skipped = skipped;
    }

    /// <summary>The usable keys; may be none.</summary>
    public TrustAnchors Anchors { get; }

    /// <summary>Why entries were skipped, by position, for the log.</summary>
    public IReadOnlyList<string> Skipped { get; }

    /// <summary>Reads a JWKS; <paramref name="fault"/> says why it is none.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> utf8,
        [NotNullWhen(true)] out JsonWebKeys? jwks,
        [NotNullWhen(false)] out string? fault
    )
    {
        jwks = null;
        using var document = ReadEntries(utf8, out var entries, out fault);
        if (document is null)
        {
            return false;
        }

        var keys = new List<VerificationKey>();
        var skipped = new List<string>();
        foreach (var (index, entry) in entries.EnumerateArray().Index())
        {
            if (ReadSigningKey(entry, out var reason) is { } key)
            {
                keys.Add(key);
            }
            else
            {
                skipped.Add($"entry {index}: {reason}");
            }
        }

        jwks = new JsonWebKeys(new TrustAnchors(keys), skipped);
        return true;
    }

    /// <summary>
    /// The part that a JWKS and a SPIFFE bundle share: a bounded object with a bounded array <c>keys</c>. Null where it
    /// is none; the caller disposes it.
    /// </summary>
    internal static JsonDocument? ReadEntries(ReadOnlyMemory<byte> utf8, out JsonElement entries, out string fault)
    {
        entries = default;
        fault = $"it is larger than {MaxBytes} bytes";
        if (utf8.Length > MaxBytes)
        {
            return null;
        }

        fault = "it is not a JSON object, or has a member twice";
        if (!StrictJson.TryReadObject(WithoutMark(utf8), out var document))
        {
            return null;
        }

        if (!document.RootElement.TryGetProperty("keys", out entries) || entries.ValueKind != JsonValueKind.Array)
        {
            fault = "it has no array 'keys'";
        }
        else if (entries.GetArrayLength() > MaxEntries)
        {
            fault = $"it has more than {MaxEntries} keys";
        }
        else
        {
            return document;
        }

        document.Dispose();
        return null;
    }

    /// <summary>
    /// A document without the byte order mark that some servers send before JSON, although RFC 8259 §8.1 forbids it.
    /// </summary>
    public static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> utf8) =>
        utf8.Span.StartsWith(ByteOrderMark) ? utf8[ByteOrderMark.Length..] : utf8;

    private static VerificationKey? ReadSigningKey(JsonElement entry, out string reason)
    {
        reason = "it is no object";
        if (entry.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        reason = "its use is not sig";
        if (
            entry.TryGetProperty("use", out var use)
            && !(use.ValueKind == JsonValueKind.String && use.ValueEquals("sig"))
        )
        {
            return null;
        }

        return JsonWebKeyReader.Read(entry, out reason);
    }
}
