using System.Buffers;
using System.CommandLine.Parsing;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands;

/// <summary>
/// Which lease, order, hold or request a person means who gives how its id begins. Each is looked for by the call that
/// lists them to this person, so that a short id finds nothing that they may not see.
/// </summary>
internal static class KnownIds
{
    private static readonly SearchValues<char> Characters = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
    );

    /// <summary>The check of every argument that is an id which the broker gave, or how one begins.</summary>
    public static void Check(ArgumentResult argument)
    {
        foreach (var text in argument.Tokens.Select(token => token.Value))
        {
            if (text.Length == 0 || text.AsSpan().IndexOfAnyExcept(Characters) >= 0)
            {
                argument.AddError($"\"{text}\" is no id: one is made of letters, digits, - and _.");
            }
        }
    }

    /// <summary>
    /// The check of a task's id, which its workload made up: any text but none, and but the dots that would lead to
    /// another address.
    /// </summary>
    public static void CheckTask(ArgumentResult argument)
    {
        if (argument.Tokens is [{ Value: var text }] && (string.IsNullOrWhiteSpace(text) || text is "." or ".."))
        {
            argument.AddError($"\"{text}\" is no task's id.");
        }
    }

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
