using System.Collections.Frozen;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// The signature algorithms that are ever accepted: RSA (PKCS #1 v1.5 and PSS) and ECDSA. Never <c>none</c>, never a
/// shared secret.
/// </summary>
public static class SigningAlgorithm
{
    /// <summary>
    /// What an issuer's tokens may use where its settings name nothing: everything that is ever accepted, because a key
    /// is pinned to its own algorithm anyway.
    /// </summary>
    public static readonly IReadOnlyList<string> Default =
    [
        "RS256",
        "RS384",
        "RS512",
        "ES256",
        "ES384",
        "ES512",
        "PS256",
        "PS384",
        "PS512",
    ];

    /// <summary>Every algorithm that can be configured; a JWT-SVID may use any of them (JWT-SVID §2.2).</summary>
    public static readonly FrozenSet<string> All = Default.ToFrozenSet(StringComparer.Ordinal);

    internal static readonly IReadOnlyList<string> ForRsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];

    /// <summary>The one algorithm of a curve (RFC 7518 §3.4); null for a curve that is not used.</summary>
    internal static string? ForCurve(string curve) =>
        curve switch
        {
            "P-256" => "ES256",
            "P-384" => "ES384",
            "P-521" => "ES512",
            _ => null,
        };
}
