using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Readiness;

/// <summary>
/// Keeps with the store which cluster of Vault is believed, and where in it the store's secrets are: what the first broker
/// met, and later what an admin accepts.
/// </summary>
public sealed class ClusterMemory(IBrokerStore store, VaultCluster cluster)
{
    /// <summary>Whether the newest answer was another one's, or is not on record: it is worth asking again.</summary>
    public bool IsInDoubt => cluster.Refusal is not null;

    /// <summary>Reads it, at start.</summary>
    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        if (await store.VaultCluster.FindAsync(cancellationToken) is { } accepted)
        {
            cluster.Accept(accepted);
        }
    }

    /// <summary>Takes up what another broker has accepted meanwhile; as well as it can be read.</summary>
    public async ValueTask FollowAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync(cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // What is known stays; the store says itself that it does not answer.
        }
    }

    /// <summary>Puts the first that answers on record. Until that is done nothing is issued.</summary>
    public async ValueTask RememberAsync(CancellationToken cancellationToken)
    {
        if (
            cluster is { Seen: { Length: > 0 } seen }
            && (cluster.Accepted is null || (cluster.IsHomeUnknown && cluster.Accepted.Id == seen))
        )
        {
            await CommitAsync(seen, "", AuditActor.Broker("probe"), null, cancellationToken);
        }
    }

    /// <summary>
    /// Believes the cluster that answers, on a person's word, or believes it again though it has gone back, and with it
    /// this broker's place in it. False where another one answers than is named.
    /// </summary>
    /// <param name="id">What it calls itself.</param>
    /// <param name="reason">Why, in the admin's words.</param>
    /// <param name="person">Who.</param>
    /// <param name="call">The request.</param>
    /// <param name="cancellationToken">Gives up, before it is committed.</param>
    public async ValueTask<bool> AcceptAsync(
        string id,
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    ) =>
        id.Length > 0
        && cluster.Seen == id
        && (
            (cluster.Accepted?.Id == id && !cluster.IsBehind && !cluster.IsElsewhere)
            || await CommitAsync(id, reason, person, call.TraceId, cancellationToken)
        );

    private async ValueTask<bool> CommitAsync(
        string id,
        string reason,
        AuditActor actor,
        string? traceId,
        CancellationToken cancellationToken
    )
    {
        var (before, home) = (cluster.Accepted, cluster.Home ?? new("", ""));
        var outcome = await store.CommitAsync(
            new StateChange.VaultClusterAccepted
            {
                Cluster = id,
                Home = home,
                Expected = before?.Id,
                ExpectedHome = before?.Home,
                Event = new()
                {
                    What = new VaultClusterAccepted
                    {
                        Cluster = id,
                        Before = before?.Id ?? "",
                        Installation = home.Installation,
                        Namespace = home.Namespace,
                        Reason = reason,
                    },
                    Actor = actor,
                    TraceId = traceId,
                },
            },
            cancellationToken
        );
        await StartAsync(CancellationToken.None);
        return outcome is CommitOutcome.Committed;
    }
}
