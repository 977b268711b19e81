using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Readiness;

/// <summary>
/// Sets the store's clock by the wall clock that it follows (the broker's, or the database's that several brokers share),
/// on an admin's word that the latter is right: after a jump forward that was wrong and was believed, or for one that is
/// right and is not believed yet.
/// </summary>
public sealed class ClockRepair(IBrokerStore store, TimeProvider time)
{
    /// <summary>The store's clock and the broker's.</summary>
    public (DateTimeOffset Store, DateTimeOffset Broker) Read() => (store.Position.UtcNow, time.GetUtcNow());

    /// <summary>Repairs it, on record.</summary>
    /// <param name="reason">Why, in the admin's words.</param>
    /// <param name="person">Who.</param>
    /// <param name="call">The request.</param>
    /// <param name="cancellationToken">Gives up, before it is committed.</param>
    public async ValueTask RepairAsync(
        string reason,
        AuditActor person,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var (from, to) = (store.Position.UtcNow, store.Position.Wall);
        await store.CommitAsync(
            new StateChange.ClockRepaired
            {
                Event = new()
                {
                    What = new ClockRepaired
                    {
                        From = from,
                        To = to,
                        Reason = reason,
                    },
                    Actor = person,
                    TraceId = call.TraceId,
                },
            },
            cancellationToken
        );
    }
}
