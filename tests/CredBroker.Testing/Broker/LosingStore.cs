using CredBroker.Core.State;

namespace CredBroker.Testing.Broker;

/// <summary>A store that does not take one kind of change, or says so, while a test wants it.</summary>
internal sealed class LosingStore<TChange>(IBrokerStore store) : IBrokerStore
    where TChange : StateChange
{
    public bool Lost { get; set; }

    /// <summary>Which of these changes are lost meanwhile; all of them unless a test says otherwise.</summary>
    public Func<TChange, bool> Loses { get; set; } = _ => true;

    /// <summary>Whether such a change is taken, but nobody hears of it.</summary>
    public bool LosesReply { get; set; }

    /// <summary>Runs when a change was taken, before its caller hears of it.</summary>
    public Func<StateChange, Task>? OnTaken { get; set; }

    /// <summary>What it says of itself meanwhile.</summary>
    public string? Said { get; set; }

    public event Action? News
    {
        add => store.News += value;
        remove => store.News -= value;
    }

    /// <summary>What it has heard of, where others have committed since.</summary>
    public StorePosition? Heard { get; set; }

    public StorePosition Position => Heard ?? store.Position;

    public async ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken)
    {
        if (Lost && change is TChange one && Loses(one))
        {
            throw new StoreUnavailableException("lost");
        }

        var outcome = await store.CommitAsync(change, cancellationToken);
        if (OnTaken is { } hook)
        {
            await hook(change);
        }

        return LosesReply && change is TChange
            ? throw new StoreUnavailableException("the outcome is unknown")
            : outcome;
    }

    public string? Fault => Said ?? store.Fault;

    public ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken) =>
        store.ListBrokersAsync(cancellationToken);

    public ValueTask WatchAsync(CancellationToken cancellationToken) => store.WatchAsync(cancellationToken);

    public ILeaseReader Leases => store.Leases;

    public IRevocationReader Revocations => store.Revocations;

    public IHoldReader Holds => store.Holds;

    public ILimitReader Limits => store.Limits;

    public IPolicyReader Policies => store.Policies;

    public IVaultClusterReader VaultCluster => store.VaultCluster;

    public IEpochReader Epoch => store.Epoch;

    public IIdempotencyReader Idempotency => store.Idempotency;

    public IApprovalReader Approvals => store.Approvals;

    public INotificationReader Notifications => store.Notifications;

    public IOwnerReader Owners => store.Owners;

    public ITimeBoxReader TimeBoxes => store.TimeBoxes;
}
