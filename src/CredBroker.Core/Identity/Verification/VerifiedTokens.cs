using System.Collections.Concurrent;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Tokens that verified, by their SHA-256, so that an agent that comes back costs no signature check. Bounded; a token
/// is never remembered past its end, nor beyond the keys that verified it: new keys for its issuer, or none, and it is
/// checked again. Nor is it past the round of <see cref="TokenMemory"/> in which its check began.
/// </summary>
/// <remarks>
/// Two generations: when the young one is full it becomes the old one, and what is still asked for moves over.
/// </remarks>
internal sealed class VerifiedTokens<T>(int capacity, TokenMemory memory)
    where T : class
{
    private readonly Lock _gate = new();
    private volatile ConcurrentDictionary<string, Entry> _young = new(StringComparer.Ordinal);
    private volatile ConcurrentDictionary<string, Entry> _old = new(StringComparer.Ordinal);
    private int _added;

    private sealed record Entry(T Outcome, TokenWindow Window, TrustAnchors Anchors, ITrustSource Trust, int Round);

    /// <summary>What the token led to, if it is remembered and still holds at this time.</summary>
    public T? Find(string hash, DateTimeOffset now)
    {
        var isYoung = _young.TryGetValue(hash, out var entry);
        if (!isYoung && !_old.TryGetValue(hash, out entry))
        {
            return null;
        }

        if (
            entry!.Round != memory.Round
            || now < entry.Window.NotBefore
            || now >= entry.Window.ExpiresAt
            || entry.Trust.Current != entry.Anchors
        )
        {
            return null;
        }

        if (!isYoung)
        {
            Add(hash, entry);
        }

        return entry.Outcome;
    }

    /// <summary>The round in which a check begins now.</summary>
    public int Round => memory.Round;

    /// <summary>
    /// Remembers a token that was verified with what <paramref name="trust"/> gave, by a check that began in this round.
    /// </summary>
    public void Remember(T outcome, VerifiedToken token, ITrustSource trust, int round) =>
        Remember(token.Hash, outcome, token.Window, token.Anchors, trust, round);

    internal void Remember(
        string hash,
        T outcome,
        TokenWindow window,
        TrustAnchors anchors,
        ITrustSource trust,
        int round
    ) => Add(hash, new Entry(outcome, window, anchors, trust, round));

    private void Add(string hash, Entry entry)
    {
        _young[hash] = entry;
        if (Interlocked.Increment(ref _added) < capacity / 2)
        {
            return;
        }

        lock (_gate)
        {
            if (_added < capacity / 2)
            {
                return;
            }

            _old = _young;
            _young = new(StringComparer.Ordinal);
            _added = 0;
        }
    }
}
