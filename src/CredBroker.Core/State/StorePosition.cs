using CredBroker.Core.Audit;

namespace CredBroker.Core.State;

/// <summary>The store's position at one moment.</summary>
/// <param name="UtcNow">The store's clock: max(persisted, the process's clock).</param>
/// <param name="Fence">The number of the newest revocation order.</param>
/// <param name="PolicyVersion">The newest applied policy's version; 0 when none.</param>
/// <param name="AuditHead">The newest committed audit record, written into Vault's own log as an anchor.</param>
/// <param name="Holds">How many holds have not been lifted; while it is 0 nobody has to ask whether one reaches him.</param>
public readonly record struct StorePosition(
    DateTimeOffset UtcNow,
    long Fence,
    long PolicyVersion,
    AuditPosition AuditHead,
    long Holds
)
{
    /// <summary>
    /// The time by the count of what has passed, whatever became of the broker's clock; never behind
    /// <see cref="UtcNow"/>. What waits for time to pass, an attempt, a claim, an issuance, is given its end and
    /// measured by this one: <see cref="UtcNow"/> stands while the broker's clock has fallen back.
    /// </summary>
    public required DateTimeOffset Counted { get; init; }

    /// <summary>What the store's clock said when the broker's fell back; null where it has not.</summary>
    public required DateTimeOffset? FallenAt { get; init; }

    /// <summary>
    /// Whether the store's clock is only what it last knew before this process began, more than a day behind the
    /// broker's, and nobody knows yet which of the two is right. It says that so much time has passed, and not that no
    /// more has.
    /// </summary>
    public required bool IsStale { get; init; }

    /// <summary>A number that rises with each change of a question to people.</summary>
    public long Approvals { get; init; }

    /// <summary>A number that rises with each change of who is gone; 0 while nobody ever was.</summary>
    public long Owners { get; init; }

    /// <summary>
    /// How often the store was reached anew. Who took its place may lack the newest orders and give their numbers a second
    /// time, so that a fence says nothing beyond it.
    /// </summary>
    public long Opening { get; init; }

    /// <summary>
    /// When a person last accepted another cluster of Vault, or another place in it, at whichever broker; null for never.
    /// What a broker that believes an earlier one hears there proves nothing of what was made since.
    /// </summary>
    public DateTimeOffset? VaultChangedAt { get; init; }

    /// <summary>
    /// The wall clock that the store's goes by, and takes the word of: this process's, or the database's where several
    /// brokers share one.
    /// </summary>
    public DateTimeOffset Wall { get; init; }

    /// <summary>
    /// The time by which the lease's end is measured: a clock that fell back after its activation does not keep it
    /// longer.
    /// </summary>
    public DateTimeOffset NowFor(Lease lease) => lease.ActivatedAt <= FallenAt ? Counted : UtcNow;
}
