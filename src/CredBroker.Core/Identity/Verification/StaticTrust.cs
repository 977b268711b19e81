namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Keys or a bundle that the process has at hand and that do not change while it runs: for tools that verify a proof
/// without a broker.
/// </summary>
public sealed class StaticTrust(TrustAnchors anchors) : ITrustSource
{
    /// <inheritdoc/>
    public TrustAnchors? Current => anchors;

    /// <summary>Null: nothing will be newer.</summary>
    public TimeSpan? RetryAfter => null;

    /// <inheritdoc/>
    public ValueTask<TrustAnchors?> NewerThanAsync(TrustAnchors? seen, CancellationToken cancellationToken) =>
        new(ReferenceEquals(seen, anchors) ? null : anchors);
}
