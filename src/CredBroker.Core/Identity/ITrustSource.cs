using CredBroker.Core.Identity.Verification;

namespace CredBroker.Core.Identity;

/// <summary>
/// Seam: where the keys of one issuer, or the bundle of one trust domain, come from. Each issuer and trust domain has a
/// source of its own, so that no key can verify for a name that it was not published under.
/// </summary>
public interface ITrustSource
{
    /// <summary>
    /// What to verify with now; null while there is nothing, or nothing fresh enough. The same instance for as long as
    /// the content is the same, and another one as soon as it is not.
    /// </summary>
    TrustAnchors? Current { get; }

    /// <summary>When a caller whose key is unknown may ask again with any hope; null where there is none.</summary>
    TimeSpan? RetryAfter { get; }

    /// <summary>
    /// Asks for something newer than <paramref name="seen"/>, because a token names a key that it does not have, or its signature fails. Bounded
    /// in time and frequency by the source, however many tokens ask; null when there is nothing newer. Never fails for
    /// want of an answer.
    /// </summary>
    ValueTask<TrustAnchors?> NewerThanAsync(TrustAnchors? seen, CancellationToken cancellationToken);
}
