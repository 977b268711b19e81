namespace CredBroker.Core.Leases;

/// <summary>Times and bounds of issuance, revocation and recovery. Bound from the section <c>Leases</c>.</summary>
public sealed record LeaseOptions
{
    /// <summary>
    /// Minting and activating together run at most this long; afterwards the pending lease belongs to recovery.
    /// </summary>
    public TimeSpan IssuanceDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long Vault may still work on one request. A sweep proves that nothing was minted only if it begins this long
    /// after the accessor's revocation. Longer than <see cref="IssuanceDeadline"/>, and not shorter than Vault's own
    /// <c>max_request_duration</c> (90 s by default).
    /// </summary>
    public TimeSpan VaultRequestLimit { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>How long a worker owns a revocation that it has claimed; longer than one attempt.</summary>
    public TimeSpan ClaimTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one attempt to revoke may take.</summary>
    public TimeSpan RevocationTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The wait after the first failed attempt; doubled for each further one, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest wait between attempts.</summary>
    public TimeSpan RetryDelayLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many revocations run at once at one backend. Vault's database engine carries out one at a time for each
    /// connection, and each that waits there takes one of the storage transactions that all of OpenBao has (64 unless
    /// configured): more than a few gain nothing, and can stop everything.
    /// </summary>
    public int RevocationParallelism { get; init; } = 4;

    /// <summary>How long a release waits for Vault's confirmation before it answers that it is under way.</summary>
    public TimeSpan ReleaseWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many strays one sweep revokes before it stops and alarms.</summary>
    public int StrayLimit { get; init; } = 5;

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        foreach (
            var (name, value, low, high) in new[]
            {
                (nameof(IssuanceDeadline), IssuanceDeadline, 1, 300),
                (nameof(VaultRequestLimit), VaultRequestLimit, 1, 3600),
                (nameof(ClaimTime), ClaimTime, 1, 3600),
                (nameof(RevocationTimeout), RevocationTimeout, 1, 300),
                (nameof(RetryDelay), RetryDelay, 1, 300),
                (nameof(RetryDelayLimit), RetryDelayLimit, 1, 3600),
                (nameof(ReleaseWait), ReleaseWait, 0, 60),
            }
        )
        {
            if (value < TimeSpan.FromSeconds(low) || value > TimeSpan.FromSeconds(high))
            {
                yield return $"Leases:{name} is {value}; write a time from {low} to {high} seconds, "
                    + $"such as \"00:00:{Math.Min(high, 30):00}\".";
            }
        }

        if (VaultRequestLimit <= IssuanceDeadline)
        {
            yield return $"Leases:VaultRequestLimit ({VaultRequestLimit}) must exceed Leases:IssuanceDeadline "
                + $"({IssuanceDeadline}), or a sweep could meet a secret that is still being issued.";
        }

        if (ClaimTime <= RevocationTimeout)
        {
            yield return $"Leases:ClaimTime ({ClaimTime}) must exceed Leases:RevocationTimeout "
                + $"({RevocationTimeout}), or two workers would revoke the same lease.";
        }

        if (RevocationParallelism is < 1 or > 256)
        {
            yield return $"Leases:RevocationParallelism is {RevocationParallelism}; write a number from 1 to 256.";
        }

        if (StrayLimit is < 1 or > 100)
        {
            yield return $"Leases:StrayLimit is {StrayLimit}; write a number from 1 to 100.";
        }
    }
}
