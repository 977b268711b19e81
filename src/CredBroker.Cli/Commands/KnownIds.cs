using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands;

/// <summary>
/// Which lease, order, hold or request a person means who gives how its id begins. Each is looked for by the call that
/// lists them to this person, so that a short id finds nothing that they may not see.
/// </summary>
internal static class KnownIds
{
    /// <summary>Of any lease, over or not: the broker looks for it.</summary>
    public static ValueTask<string> LeaseAsync(AdminClient client, string typed, CancellationToken cancellationToken) =>
        ShortIds.WholeAsync(
            typed,
            "lease",
            "credbroker leases list --state all",
            async prefix =>
                (
                    await client.ListLeasesAsync(
                        new() { IdPrefix = prefix, Limit = ShortIds.Enough },
                        cancellationToken
                    )
                ).Leases.Select(lease => lease.LeaseId)
        );

    /// <summary>Of any order: the broker looks for it.</summary>
    public static ValueTask<string> OrderAsync(AdminClient client, string typed, CancellationToken cancellationToken) =>
        ShortIds.WholeAsync(
            typed,
            "order",
            "credbroker orders list",
            async prefix =>
                (await client.FindRevocationsAsync(prefix, cancellationToken)).Orders.Select(order =>
                    order.RevocationId
                )
        );

    /// <summary>Of a hold in force.</summary>
    public static ValueTask<string> HoldAsync(AdminClient client, string typed, CancellationToken cancellationToken) =>
        ShortIds.WholeAsync(
            typed,
            "hold in force",
            "credbroker holds list",
            async _ => (await client.ListHoldsAsync(cancellationToken)).Holds.Select(hold => hold.HoldId)
        );

    /// <summary>Of a request that waits for the caller.</summary>
    public static ValueTask<string> OpenRequestAsync(
        AdminClient client,
        string typed,
        CancellationToken cancellationToken
    ) =>
        ShortIds.WholeAsync(
            typed,
            "open request",
            "credbroker approvals list",
            async _ =>
                (await client.ListApprovalsAsync(cancellationToken)).Approvals.Select(approval => approval.ApprovalId)
        );

    /// <summary>Of a request with an open time box.</summary>
    public static ValueTask<string> TimeBoxAsync(
        AdminClient client,
        string typed,
        CancellationToken cancellationToken
    ) =>
        ShortIds.WholeAsync(
            typed,
            "request with an open time box",
            "credbroker approvals boxes",
            async _ => await OpenTimeBoxesAsync(client, cancellationToken)
        );

    private static async Task<List<string>> OpenTimeBoxesAsync(AdminClient client, CancellationToken cancellationToken)
    {
        var found = new List<string>();
        string? next = null;
        do
        {
            var page = await client.ListTimeBoxesAsync(next, cancellationToken);
            found.AddRange(page.TimeBoxes.Select(timeBox => timeBox.ApprovalId));
            next = page.Next;
        } while (next is not null);

        return found;
    }
}
