namespace CredBroker.Core.State;

/// <summary>How many leases are not over, by the store's clock.</summary>
/// <param name="Pending">Being issued, or cut short and not yet taken back.</param>
/// <param name="Active">Whose secret counts.</param>
/// <param name="Revoking">Being revoked.</param>
/// <param name="Failed">Whose last attempt to revoke failed; it is repeated.</param>
/// <param name="Due">Those of all these that are to be over now: past their end, or revoked by somebody's word.</param>
/// <param name="DueSince">Since when the longest of those; null where there is none.</param>
public sealed record LeaseCounts(
    long Pending,
    long Active,
    long Revoking,
    long Failed,
    long Due,
    DateTimeOffset? DueSince
);
