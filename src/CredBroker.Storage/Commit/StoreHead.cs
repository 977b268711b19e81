using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Storage.Commit;

/// <summary>
/// The newest fence, policy version, audit record, and how many holds there are, which the writer carries from change
/// to change.
/// </summary>
/// <param name="Fence">The newest revocation order's number.</param>
/// <param name="PolicyVersion">The newest policy version.</param>
/// <param name="Audit">The newest audit record of this process's stream.</param>
/// <param name="Holds">How many holds may be in force: none is missed, some may have lapsed.</param>
internal readonly record struct StoreHead(long Fence, long PolicyVersion, AuditPosition Audit, long Holds)
{
    /// <summary>How often the database had been connected to anew when they were read.</summary>
    public long Opening { get; init; }

    /// <summary>The number of the newest change of a question to people.</summary>
    public long Approvals { get; init; }

    /// <summary>The number of the newest change of who is gone; 0 while nobody ever was.</summary>
    public long Owners { get; init; }

    /// <summary>When a person last accepted another cluster of Vault, or place in it; null for never.</summary>
    public DateTimeOffset? VaultChangedAt { get; init; }

    /// <summary>The store's position, with these numbers at the time that the clock says.</summary>
    public StorePosition At(StoreClock clock)
    {
        var now = clock.Read();
        return new(now.Now, Fence, PolicyVersion, Audit, Holds)
        {
            Approvals = Approvals,
            Owners = Owners,
            Counted = now.Counted,
            FallenAt = now.FallenAt,
            IsStale = now.IsStale,
            Wall = clock.WallNow,
            Opening = Opening,
            VaultChangedAt = VaultChangedAt,
        };
    }
}
