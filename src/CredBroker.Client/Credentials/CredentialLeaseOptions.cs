namespace CredBroker.Client;

/// <summary>How a <see cref="CredentialLease"/> is held.</summary>
public sealed record CredentialLeaseOptions
{
    /// <summary>
    /// Whether it is renewed in the background; true unless set. Certificates and static values cannot be renewed: for
    /// them false spares the broker a call that it refuses.
    /// </summary>
    public bool Renew { get; init; } = true;

    /// <summary>The life wished with each renewal; absent means what was granted at first.</summary>
    public TimeSpan? RenewalTtl { get; init; }

    /// <summary>
    /// How long disposing waits for the broker to take the secret back; 20 seconds unless set, at most a day. The broker
    /// itself answers after 5 seconds unless it is set otherwise, and then goes on alone.
    /// </summary>
    public TimeSpan ReleaseTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <exception cref="ArgumentOutOfRangeException">An option has a value that it cannot have.</exception>
    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ReleaseTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ReleaseTimeout, TimeSpan.FromDays(1));
    }
}
