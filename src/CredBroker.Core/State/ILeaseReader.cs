namespace CredBroker.Core.State;

/// <summary>Reads leases. Every member sees what is committed, and nothing else.</summary>
public interface ILeaseReader
{
    /// <summary>One lease, or null. One that cannot be read is a <see cref="StoreUnavailableException"/>.</summary>
    ValueTask<Lease?> FindAsync(string leaseId, CancellationToken cancellationToken);

    /// <summary>A page of leases, newest first.</summary>
    ValueTask<LeasePage> ListAsync(LeaseQuery query, CancellationToken cancellationToken);

    /// <summary>
    /// Where pages of so many leases that are not over end, newest first: their last ids, without what is left after the
    /// last of them. For whoever goes through all of them at several places at once.
    /// </summary>
    ValueTask<IReadOnlyList<string>> FindPageEndsAsync(int size, CancellationToken cancellationToken);

    /// <summary>
    /// Leases that a job has to work on now, longest overdue first, those under a running claim excluded. What cannot be
    /// read takes no place of another.
    /// </summary>
    /// <param name="work">Which.</param>
    /// <param name="dueBefore">By <see cref="StorePosition.UtcNow"/>, whatever measures what is looked for.</param>
    /// <param name="limit">At most so many that can be read.</param>
    /// <param name="isWanted">Whether the lease of this id is worked on now; one that is not takes no place either.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<LeasePage> FindWorkAsync(
        LeaseWork work,
        DateTimeOffset dueBefore,
        int limit,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Which backends have revocations due in which lanes, the most urgent lane first; by
    /// <see cref="StorePosition.Counted"/>.
    /// </summary>
    ValueTask<IReadOnlyList<BackendWork>> FindRevocationWorkAsync(
        DateTimeOffset dueBefore,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Leases in <c>revoking</c> or <c>failed</c>, of this backend and lane, whose next attempt is before the given time
    /// (by <see cref="StorePosition.Counted"/>; none set counts as due) and whose claim, if any, has lapsed; longest
    /// overdue first.
    /// </summary>
    /// <param name="work">The backend and the lane.</param>
    /// <param name="dueBefore">The time.</param>
    /// <param name="limit">At most so many that can be read; what cannot takes no place of another.</param>
    /// <param name="withProofs">Whether those that <see cref="Lease.AwaitsProof"/> are looked for, too.</param>
    /// <param name="isWanted">Whether the lease of this id is worked on now; one that is not takes no place either.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<LeasePage> FindRevocationsAsync(
        BackendWork work,
        DateTimeOffset dueBefore,
        int limit,
        bool withProofs,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Which of these Vault lease ids some lease holds that is not over. One that is over holds none: what is alive at
    /// Vault under its id is a stray, whatever its record says.
    /// </summary>
    ValueTask<IReadOnlySet<string>> FindKnownVaultLeasesAsync(
        IReadOnlyCollection<string> vaultLeaseIds,
        CancellationToken cancellationToken
    );

    /// <summary>How many leases are not over, and since when the longest of them was to be.</summary>
    ValueTask<LeaseCounts> CountAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The names that leases have in this field, to say what a mistyped one was meant to be: of every lease that is not
    /// over and of the newest of the others, each name once, 10,000 at most.
    /// </summary>
    ValueTask<IReadOnlySet<string>> FindNamesAsync(SelectorField field, CancellationToken cancellationToken);
}
