namespace CredBroker.Server.Jobs;

/// <summary>
/// How often the jobs fire. Bound from the section <c>Jobs</c>. The expiry sweep always fires each second.
/// </summary>
public sealed record JobOptions
{
    /// <summary>Open revocation orders, lapsed claims, failed attempts.</summary>
    public TimeSpan RevocationRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Recovery of pending leases past their deadline, and the sweep for strays.</summary>
    public TimeSpan PendingReconcile { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The safety pass over live leases; a new policy version starts one at once.</summary>
    public TimeSpan PolicyReevaluation { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the store is compared with its anchor in Vault, which is written then.</summary>
    public TimeSpan Anchor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        foreach (
            var (name, value) in new[]
            {
                (nameof(RevocationRetry), RevocationRetry),
                (nameof(PendingReconcile), PendingReconcile),
                (nameof(PolicyReevaluation), PolicyReevaluation),
                (nameof(Anchor), Anchor),
            }
        )
        {
            if (value < TimeSpan.FromSeconds(1) || value > TimeSpan.FromHours(1))
            {
                yield return $"Jobs:{name} is {value}; write a time from one second to one hour, such as \"00:01:00\".";
            }
        }
    }
}
