namespace CredBroker.Core.State;

/// <summary>
/// Seam: the durable truth. <see cref="CommitAsync"/> is the only way to change anything, and every change carries its
/// guard and its audit event, so that both commit together. What is read is read through one small reader per
/// aggregate. Every member, the readers' included, throws <see cref="StoreUnavailableException"/> when the store does
/// not accept or answer.
/// </summary>
public interface IBrokerStore
{
    /// <summary>
    /// Commits a change with its audit event, durably, or neither. A failed guard changes nothing and is a value, not
    /// an exception.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// No event tells the change, or the event cannot be written. Nothing was committed.
    /// </exception>
    ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken);

    /// <summary>
    /// The store's clock (never behind what it has persisted), the newest fence, policy version and audit record. An
    /// exchange notes the fence before it does anything else.
    /// </summary>
    StorePosition Position { get; }

    /// <summary>
    /// Raised when this process first sees an order, a hold, a policy version or a person's word on a question that another
    /// broker has committed, within a second at the latest. It saves waiting; nothing is decided by it. Whoever hears it returns at once.
    /// </summary>
    event Action? News;

    /// <summary>
    /// Why nothing new is to be put on record: its file was deleted or replaced, its disk is full, or the last change
    /// failed and none went through since. Null where it takes changes as far as anybody knows. What ends secrets is
    /// tried all the same. No I/O but a look at the file.
    /// </summary>
    string? Fault { get; }

    /// <summary>The brokers that share the store now, this one included.</summary>
    ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken);

    /// <summary>Looks whether what <see cref="Fault"/> says still holds, by a change of nothing.</summary>
    ValueTask WatchAsync(CancellationToken cancellationToken);

    /// <summary>Leases.</summary>
    ILeaseReader Leases { get; }

    /// <summary>Revocation orders.</summary>
    IRevocationReader Revocations { get; }

    /// <summary>Holds.</summary>
    IHoldReader Holds { get; }

    /// <summary>What is counted for limits.</summary>
    ILimitReader Limits { get; }

    /// <summary>Applied policy versions.</summary>
    IPolicyReader Policies { get; }

    /// <summary>Which cluster of Vault is believed.</summary>
    IVaultClusterReader VaultCluster { get; }

    /// <summary>How far it has come, for its anchor.</summary>
    IEpochReader Epoch { get; }

    /// <summary>Questions to people.</summary>
    IApprovalReader Approvals { get; }

    /// <summary>Time boxes that were given with approvals.</summary>
    ITimeBoxReader TimeBoxes { get; }

    /// <summary>What is to be sent outside.</summary>
    INotificationReader Notifications { get; }

    /// <summary>Owners of processes who are gone.</summary>
    IOwnerReader Owners { get; }

    /// <summary>Idempotency keys.</summary>
    IIdempotencyReader Idempotency { get; }
}
