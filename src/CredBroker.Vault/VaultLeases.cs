using System.Collections.Concurrent;
using CredBroker.Core.Exchange;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault;

/// <summary>What Vault itself says about the leases under one path.</summary>
internal sealed class VaultLeases(VaultClient client, VaultSession session, VaultOptions options)
{
    /// <summary>Lookups that run at once.</summary>
    private const int Parallelism = 8;

    /// <summary>The leases directly below the path, or why they cannot be listed. A list that may be incomplete is none: absence is proven from it.</summary>
    public async ValueTask<(IReadOnlyList<VaultLease>? Leases, VaultReply Reply)> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var reply = await session.SendAsync(new(VaultCall.List, $"sys/leases/lookup/{prefix}/") { Timeout = options.CallTimeout }, client.RepeatableAsync, cancellationToken);
        if (reply is VaultReply.Declined { Status: 404 })
        {
            return ([], reply);
        }

        if (reply is not VaultReply.Done { Body: var body } || body.As(VaultJson.Default.ListedKeys) is not { } listed || listed.Keys.Any(key => key.EndsWith('/')))
        {
            return (null, reply is VaultReply.Done ? new VaultReply.Lost("the list of leases is not one") : reply);
        }

        var (leases, failures) = (new ConcurrentBag<VaultLease>(), new ConcurrentBag<VaultReply>());
        await Parallel.ForEachAsync(listed.Keys, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = CancellationToken.None }, async (key, _) =>
        {
            var (lease, failure) = await LookUpAsync($"{prefix}/{key}", cancellationToken);
            if (lease is not null)
            {
                leases.Add(lease);
            }
            else if (failure is not null)
            {
                failures.Add(failure);
            }
        });
        return failures.TryTake(out var first) ? (null, first) : ([.. leases], reply);
    }

    /// <summary>One lease; neither when it has ended meanwhile.</summary>
    private async ValueTask<(VaultLease? Lease, VaultReply? Failure)> LookUpAsync(string leaseId, CancellationToken cancellationToken)
    {
        var body = VaultBodies.Of(new LookupLeaseRequest(leaseId), VaultJson.Default.LookupLeaseRequest);
        var call = new VaultCall(HttpMethod.Post, "sys/leases/lookup") { Body = body, Timeout = options.CallTimeout };
        return await session.SendAsync(call, client.RepeatableAsync, cancellationToken) switch
        {
            VaultReply.Done { Body: var found } when found.As(VaultJson.Default.LeaseFacts) is { } facts => (new VaultLease(leaseId, facts.IssueTime, facts.Ttl <= 0), null),
            VaultReply.Declined { Status: 400 } declined when declined.Words.Contains("invalid lease", StringComparison.OrdinalIgnoreCase) => (null, null),
            VaultReply.Declined { Status: 404 } => (null, null),
            var other => (null, other),
        };
    }
}
