using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// A SPIFFE trust bundle (SPIFFE Trust Domain and Bundle §4): the authorities of one trust domain at one time. It is
/// never merged with another. One without usable keys is a valid bundle under which no SVID verifies.
/// </summary>
public sealed class TrustBundle
{
    /// <summary>What <see cref="RefreshHint"/> is where the bundle has none.</summary>
    public static readonly TimeSpan DefaultRefreshHint = TimeSpan.FromMinutes(5);

    private TrustBundle(TrustAnchors anchors, ulong? sequence, TimeSpan refreshHint, IReadOnlyList<string> skipped)
    {
        Anchors = anchors;
        Sequence = sequence;
        RefreshHint = refreshHint;
        Skipped = skipped;
    }

    /// <summary>The keys that sign JWT-SVIDs and the authorities that sign X509-SVIDs.</summary>
    public TrustAnchors Anchors { get; }

    /// <summary><c>spiffe_sequence</c>; null when the bundle has none.</summary>
    public ulong? Sequence { get; }

    /// <summary><c>spiffe_refresh_hint</c>: how often to look for a newer bundle.</summary>
    public TimeSpan RefreshHint { get; }

    /// <summary>Why entries were ignored, by position, for the log.</summary>
    public IReadOnlyList<string> Skipped { get; }

    /// <summary>Reads a bundle; <paramref name="fault"/> says why it is none.</summary>
    public static bool TryRead(
        ReadOnlyMemory<byte> utf8,
        [NotNullWhen(true)] out TrustBundle? bundle,
        [NotNullWhen(false)] out string? fault
    )
    {
        bundle = null;
        using var document = JsonWebKeys.ReadEntries(utf8, out var entries, out fault);
        if (document is null)
        {
            return false;
        }

        fault = "its spiffe_sequence or spiffe_refresh_hint is no whole number";
        if (!TryNumber(document.RootElement, "spiffe_sequence", out var sequence))
        {
            return false;
        }

        if (!TryNumber(document.RootElement, "spiffe_refresh_hint", out var hint))
        {
            return false;
        }

        var keys = new List<VerificationKey>();
        var authorities = new List<ReadOnlyMemory<byte>>();
        var skipped = new List<string>();
        foreach (var (index, entry) in entries.EnumerateArray().Index())
        {
            if (ReadEntry(entry, keys, authorities) is { } reason)
            {
                skipped.Add($"entry {index}: {reason}");
            }
        }

        var refreshHint = hint is null ? DefaultRefreshHint : TimeSpan.FromSeconds(Math.Clamp(hint.Value, 1, 86_400));
        bundle = new TrustBundle(new TrustAnchors(keys, authorities), sequence, refreshHint, skipped);
        return true;
    }

    /// <summary>
    /// Whether this bundle may take the place of another: its sequence must not go back, or vanish. The texts are those
    /// of the log.
    /// </summary>
    public bool MaySucceed(TrustBundle? current, [NotNullWhen(false)] out string? fault)
    {
        fault = (current?.Sequence, Sequence) switch
        {
            (null, _) => null,
            (_, null) => "it has no spiffe_sequence, but the bundle in force has one",
            ({ } old, { } next) when next < old => $"its spiffe_sequence {next} is older than {old}, the one in force",
            _ => null,
        };
        return fault is null;
    }

    // .NET's JsonWebKeySet would drop every entry here: it keeps only use=sig.
    private static string? ReadEntry(
        JsonElement entry,
        List<VerificationKey> keys,
        List<ReadOnlyMemory<byte>> authorities
    )
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            return "it is no object";
        }

        switch (JsonWebKeyReader.Text(entry, "use"))
        {
            case "jwt-svid":
                if (JsonWebKeyReader.Read(entry, out var fault) is not { } key)
                {
                    return fault;
                }

                if (key.KeyId is null)
                {
                    return "a jwt-svid key needs a kid";
                }

                keys.Add(key);
                return null;
            case "x509-svid":
                if (ReadCertificate(entry) is not { } der)
                {
                    return "its x5c does not begin with one certificate";
                }

                authorities.Add(der);
                return null;
            default:
                return "its use is neither jwt-svid nor x509-svid";
        }
    }

    // The bytes and not the platform's object: that is a handle which somebody would have to release, and a bundle is
    // replaced while requests are still using it.
    private static byte[]? ReadCertificate(JsonElement entry)
    {
        if (
            !entry.TryGetProperty("x5c", out var chain)
            || chain.ValueKind != JsonValueKind.Array
            || chain.GetArrayLength() == 0
        )
        {
            return null;
        }

        if (chain[0].ValueKind != JsonValueKind.String || !chain[0].TryGetBytesFromBase64(out var der))
        {
            return null;
        }

        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(der);
            return certificate.RawData;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static bool TryNumber(JsonElement root, string name, out ulong? value)
    {
        value = null;
        if (!root.TryGetProperty(name, out var member))
        {
            return true;
        }

        if (member.ValueKind != JsonValueKind.Number || !member.TryGetUInt64(out var number))
        {
            return false;
        }

        value = number;
        return true;
    }
}
