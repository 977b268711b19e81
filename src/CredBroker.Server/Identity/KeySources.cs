namespace CredBroker.Server.Identity;

/// <summary>Every configured source of keys.</summary>
/// <param name="all">All of them.</param>
/// <param name="workloads">Those of issuers and trust domains of workloads.</param>
internal sealed class KeySources(IReadOnlyList<KeySource> all, IReadOnlyList<KeySource> workloads)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<KeySource> All => all;

    /// <summary>
    /// Whether the tokens of at least one issuer or trust domain of workloads can be verified now. Just after the start
    /// it waits for the first reads, as a token would; later it only looks.
    /// </summary>
    public async ValueTask<bool> CanVerifyWorkloadsAsync(CancellationToken cancellationToken)
    {
        if (!workloads.Any(source => source.Current is not null))
        {
            await Task.WhenAll(workloads.Select(source => source.WaitForFirstReadAsync(cancellationToken)));
        }

        return workloads.Any(source => source.Current is not null);
    }
}
