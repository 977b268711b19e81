using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity.Verification;

/// <summary>Reads one entry of a JWKS (RFC 7517) into a public key, or says why it cannot be used.</summary>
internal static class JsonWebKeyReader
{
    private const int MinModulusBits = 2048;

    // Verifying costs grow with the square of the modulus; nobody signs tokens with more.
    private const int MaxModulusBits = 8192;
    private const int MaxExponentBytes = 4;

    /// <summary>The key, or null where the entry cannot be used; <paramref name="fault"/> then says why.</summary>
    public static VerificationKey? Read(JsonElement entry, out string fault)
    {
        VerificationKey? key = null;
        fault =
            Fault(entry, out var keyId, out var algorithm)
            ?? Text(entry, "kty") switch
            {
                "RSA" => ReadRsa(entry, keyId, out key),
                "EC" => ReadEllipticCurve(entry, keyId, out key),
                _ => "its kty is neither RSA nor EC",
            }
            ?? "";
        if (key is null || algorithm is null)
        {
            return key;
        }

        if (key.Algorithms.Contains(algorithm))
        {
            return key with { Algorithms = [algorithm] };
        }

        fault = "its alg is not a signature algorithm that fits its kty and is accepted here";
        return null;
    }

    private static string? Fault(JsonElement entry, out string? keyId, out string? algorithm)
    {
        (keyId, algorithm) = (null, null);
        if (entry.TryGetProperty("d", out _))
        {
            return "it carries a private key, which is no longer private";
        }

        if (
            entry.TryGetProperty("key_ops", out var operations)
            && !(
                operations.ValueKind == JsonValueKind.Array
                && operations.EnumerateArray().Any(o => o.ValueKind == JsonValueKind.String && o.ValueEquals("verify"))
            )
        )
        {
            return "its key_ops does not include verify";
        }

        if (!TryText(entry, "kid", out keyId) || keyId is { Length: 0 or > CompactJws.MaxKeyIdLength })
        {
            return "its kid is not a text of acceptable length";
        }

        return TryText(entry, "alg", out algorithm) ? null : "its alg is no text";
    }

    public static string? Text(JsonElement entry, string name) => TryText(entry, name, out var value) ? value : null;

    private static string? ReadRsa(JsonElement entry, string? keyId, out VerificationKey? key)
    {
        key = null;
        if (!TryBytes(entry, "n", out var modulus) || !TryBytes(entry, "e", out var exponent))
        {
            return "its n or e is not base64url";
        }

        var bits = (modulus.Length * 8) - BitOperations.LeadingZeroCount((uint)modulus[0]) + 24;
        if (bits < MinModulusBits)
        {
            return $"its RSA modulus has fewer than {MinModulusBits} bits";
        }

        if (bits > MaxModulusBits)
        {
            return $"its RSA modulus has more than {MaxModulusBits} bits";
        }
        // An exponent of 1 would make every text its own signature; an even modulus or exponent is no RSA key.
        if (
            exponent.Length > MaxExponentBytes
            || (exponent is [var only] && only < 3)
            || (exponent[^1] & 1) == 0
            || (modulus[^1] & 1) == 0
        )
        {
            return "its RSA modulus or exponent is not acceptable";
        }

        if (RocaFingerprint.IsOn(modulus))
        {
            return "its RSA modulus has the ROCA fingerprint (CVE-2017-15361): its private key can be computed";
        }

        key = new VerificationKey(
            keyId,
            SigningAlgorithm.ForRsa,
            new RsaSecurityKey(new RSAParameters { Modulus = modulus, Exponent = exponent }) { KeyId = keyId },
            modulus.Length
        );
        return null;
    }

    private static string? ReadEllipticCurve(JsonElement entry, string? keyId, out VerificationKey? key)
    {
        key = null;
        var curveName = Text(entry, "crv") ?? "";
        if (SigningAlgorithm.ForCurve(curveName) is not { } algorithm)
        {
            return "its curve is not P-256, P-384 or P-521";
        }

        var (curve, size) = curveName switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            _ => (ECCurve.NamedCurves.nistP521, 66),
        };
        if (!TryBytes(entry, "x", out var x) || !TryBytes(entry, "y", out var y))
        {
            return "its x or y is not base64url";
        }

        if (x.Length > size || y.Length > size)
        {
            return "its x or y is longer than its curve allows";
        }

        try
        {
            // The platform refuses a point that is not on the curve.
            var ecdsa = ECDsa.Create(
                new ECParameters
                {
                    Curve = curve,
                    Q = new ECPoint { X = Padded(x, size), Y = Padded(y, size) },
                }
            );
            key = new VerificationKey(keyId, [algorithm], new ECDsaSecurityKey(ecdsa) { KeyId = keyId }, size * 2);
            return null;
        }
        catch (CryptographicException)
        {
            return "its point is not on its curve";
        }
    }

    private static bool TryText(JsonElement entry, string name, out string? value)
    {
        value = null;
        if (!entry.TryGetProperty(name, out var member))
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

    /// <summary>An unsigned big-endian number, without leading zeros; never empty.</summary>
    private static bool TryBytes(JsonElement entry, string name, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (Text(entry, name) is not { } text || !Base64UrlText.TryDecode(text, out var decoded))
        {
            return false;
        }

        bytes = decoded.AsSpan().TrimStart((byte)0).ToArray();
        return bytes.Length > 0;
    }

    private static byte[] Padded(byte[] number, int size)
    {
        var padded = new byte[size];
        number.CopyTo(padded, size - number.Length);
        return padded;
    }
}
