namespace CredBroker.Core.State;

/// <summary>Reads revocation orders. Every member sees what is committed, and nothing else.</summary>
public interface IRevocationReader
{
    /// <summary>One revocation order, or null.</summary>
    ValueTask<RevocationOrder?> FindAsync(string revocationId, CancellationToken cancellationToken);

    /// <summary>
    /// Orders with a fence below this one, newest first. One that cannot be read is left out; the page's end is where the
    /// rows end.
    /// </summary>
    /// <returns>The orders, and the fence below which the next page begins; null where there is none.</returns>
    ValueTask<(IReadOnlyList<RevocationOrder> Orders, long? Next)> ListAsync(
        long below,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>Orders whose id begins so, newest first, at most so many. One that cannot be read is left out.</summary>
    ValueTask<IReadOnlyList<RevocationOrder>> FindByPrefixAsync(
        string idPrefix,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// What every order above the fence reaches, oldest first; null where it cannot be read, and then it is taken to reach
    /// everything.
    /// </summary>
    ValueTask<IReadOnlyList<(long Fence, LeaseSelector? Selector)>> ListSelectorsAsync(
        long fence,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Orders whose leases have not all been claimed yet: those of people before those that close a task, oldest first.
    /// One that cannot be read is left out, and takes no place of another.
    /// </summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="isWanted">Whether the order of this id is looked at now; one that is not takes no place either.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<IReadOnlyList<RevocationOrder>> FindOpenAsync(
        int limit,
        Predicate<string> isWanted,
        CancellationToken cancellationToken
    );
}
