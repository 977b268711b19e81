using System.Collections.Frozen;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// What the proofs of one issuer or trust domain are verified with at one time: keys for its tokens and, for a trust
/// domain, authorities for its certificates. An instance never changes: new
/// content comes as a new instance, so that a token remembered as verified is tied to the keys that verified it.
/// </summary>
public sealed class TrustAnchors
{
    /// <summary>How many keys one token is tried against when its <c>kid</c> does not single one out.</summary>
    public const int MaxCandidates = 8;

    private readonly FrozenDictionary<(string? KeyId, string Algorithm), VerificationKey[]> _byKeyId;
    private readonly FrozenDictionary<string, VerificationKey[]> _byAlgorithm;

    /// <summary>Indexes the keys.</summary>
    /// <param name="jwtKeys">The keys of its tokens.</param>
    /// <param name="x509Authorities">The certificates of its authorities in DER; none for an OIDC issuer.</param>
    public TrustAnchors(
        IReadOnlyList<VerificationKey> jwtKeys,
        IReadOnlyList<ReadOnlyMemory<byte>>? x509Authorities = null
    )
    {
        JwtKeys = jwtKeys;
        X509Authorities = x509Authorities ?? [];
        var pairs = jwtKeys
            .SelectMany(key => key.Algorithms.Select(algorithm => (Key: key, Algorithm: algorithm)))
            .ToList();
        _byKeyId = pairs
            .Where(p => p.Key.KeyId is not null)
            .GroupBy(p => (p.Key.KeyId, p.Algorithm))
            .ToFrozenDictionary(g => g.Key, Bounded);
        _byAlgorithm = pairs.GroupBy(p => p.Algorithm).ToFrozenDictionary(g => g.Key, Bounded);

        static VerificationKey[] Bounded(IEnumerable<(VerificationKey Key, string Algorithm)> group) =>
            [.. group.Select(p => p.Key).Take(MaxCandidates)];
    }

    /// <summary>The keys that sign its tokens.</summary>
    public IReadOnlyList<VerificationKey> JwtKeys { get; }

    /// <summary>
    /// The certificates, in DER, that a path of one of its X509-SVIDs must end in (X509-SVID §5). Held with the keys
    /// because a bundle is taken up as a whole; nothing is validated with them yet.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> X509Authorities { get; }

    /// <summary>Whether there is any key that the token may be checked with.</summary>
    public bool CanVerify(CompactJws token) => Candidates(token.KeyId, token.Algorithm).Count > 0;

    /// <summary>
    /// The keys that a token may be checked with: those of its <c>kid</c>, or without one every key that fits its
    /// algorithm, at most <see cref="MaxCandidates"/>. Where the only key there is has no <c>kid</c>, it is meant
    /// whatever the token calls it.
    /// </summary>
    public IReadOnlyList<VerificationKey> Candidates(string? keyId, string algorithm) =>
        (
            keyId is null || JwtKeys is [{ KeyId: null }]
                ? _byAlgorithm.GetValueOrDefault(algorithm)
                : _byKeyId.GetValueOrDefault((keyId, algorithm))
        ) ?? [];
}
