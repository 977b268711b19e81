using System.Collections.Frozen;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// The keys of one issuer or trust domain at one time. An instance never changes, so it also stands for its generation:
/// new content, new instance.
/// </summary>
public sealed class VerificationKeys
{
    /// <summary>How many keys one token is tried against when its <c>kid</c> does not single one out.</summary>
    public const int MaxCandidates = 8;

    private readonly FrozenDictionary<(string? KeyId, string Algorithm), VerificationKey[]> _byKeyId;
    private readonly FrozenDictionary<string, VerificationKey[]> _byAlgorithm;

    /// <summary>Indexes the keys.</summary>
    public VerificationKeys(IReadOnlyList<VerificationKey> keys)
    {
        Keys = keys;
        var pairs = keys.SelectMany(key => key.Algorithms.Select(algorithm => (Key: key, Algorithm: algorithm)))
            .ToList();
        _byKeyId = pairs
            .Where(p => p.Key.KeyId is not null)
            .GroupBy(p => (p.Key.KeyId, p.Algorithm))
            .ToFrozenDictionary(g => g.Key, Bounded);
        _byAlgorithm = pairs.GroupBy(p => p.Algorithm).ToFrozenDictionary(g => g.Key, Bounded);

        static VerificationKey[] Bounded(IEnumerable<(VerificationKey Key, string Algorithm)> group) =>
            [.. group.Select(p => p.Key).Take(MaxCandidates)];
    }

    /// <summary>Every key.</summary>
    public IReadOnlyList<VerificationKey> Keys { get; }

    /// <summary>
    /// The keys that a token may be checked with: those of its <c>kid</c>, or without one every key that fits its
    /// algorithm, at most <see cref="MaxCandidates"/>.
    /// </summary>
    public IReadOnlyList<VerificationKey> Candidates(string? keyId, string algorithm) =>
        (keyId is null ? _byAlgorithm.GetValueOrDefault(algorithm) : _byKeyId.GetValueOrDefault((keyId, algorithm)))
        ?? [];
}
