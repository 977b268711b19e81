using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>All pages of a replay as one answer.</summary>
internal static class ReplayRun
{
    private const string Overloaded = "CB6013";
    private const int Attempts = 20;

    /// <summary>Asks page by page. The document's faults are in the answer where it has any.</summary>
    public static async Task<PolicyReplayResponse> RunAsync(
        Terminal terminal,
        AdminClient client,
        PolicyReplayRequest request,
        CancellationToken cancellationToken
    )
    {
        var sum = await PageAsync(terminal, client, request, cancellationToken);
        while (sum.Next is { } next)
        {
            var page = await PageAsync(terminal, client, request with { To = sum.To, After = next }, cancellationToken);
            sum = Add(sum, page);
            if (terminal.ErrorIsTerminal)
            {
                await terminal.Error.WriteAsync($"\rRequests decided again: {sum.Replayed} ");
            }
        }

        if (terminal.ErrorIsTerminal)
        {
            await terminal.Error.WriteAsync("\r");
        }

        return sum;
    }

    /// <summary>What of the period could not be decided again, in sentences; empty where all of it was.</summary>
    public static IEnumerable<string> Missing(PolicyReplayResponse replay)
    {
        if (replay.ArchivedUntil is { } archived)
        {
            yield return $"The log was archived up to {TimeText.Rfc3339(archived)}: requests until then may be missing.";
        }

        if (replay.Unreadable > 0)
        {
            yield return $"{replay.Unreadable} records are damaged or another version's, and were not decided again.";
        }

        if (replay.Counted > 0)
        {
            yield return $"{replay.Counted} refused calls were only counted, too many to be kept one by one: what they asked "
                + "for is not known. Not all of them came to be decided.";
        }
    }

    public static void Write(Terminal terminal, OutputFormat format, PolicyReplayResponse replay)
    {
        Grid.Write(
            terminal,
            format,
            ["Requests", "Process", "Policy said", "Would say", new Column("For example", 120)],
            [
                .. replay
                    .Changes.OrderByDescending(change => change.Count)
                    .Select(change =>
                        new[]
                        {
                            change.Count.ToString(System.Globalization.CultureInfo.InvariantCulture),
                            change.Process,
                            Text(change.Then),
                            Text(change.Now),
                            change.Example,
                        }
                    ),
            ]
        );
        if (replay.NotTold > 0)
        {
            terminal.Error.WriteLine(
                $"{replay.NotTold} more would be decided otherwise, of too many kinds to be listed."
            );
        }

        foreach (var missing in Missing(replay))
        {
            terminal.Error.WriteLine(missing);
        }

        terminal.Error.WriteLine(Sum(replay));
    }

    public static string Sum(PolicyReplayResponse replay) =>
        $"Of {replay.Replayed} requests decided again, {replay.NewDenials} would be denied that were not, "
        + $"{replay.NewChallenges} would be left to people, and {replay.NewAllows} would be granted that were not.";

    private static string Text(PolicyReplayVerdict verdict) => $"{verdict.Effect} ({verdict.Rule})";

    private static async Task<PolicyReplayResponse> PageAsync(
        Terminal terminal,
        AdminClient client,
        PolicyReplayRequest request,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await client.ReplayPolicyAsync(request, cancellationToken);
            }
            catch (BrokerProblemException busy) when (busy.Code == Overloaded && attempt < Attempts)
            {
                // Somebody else's page comes first: what was read so far is not thrown away for it.
                await Task.Delay(busy.RetryAfter ?? TimeSpan.FromSeconds(1), terminal.Time, cancellationToken);
            }
        }
    }

    private static PolicyReplayResponse Add(PolicyReplayResponse sum, PolicyReplayResponse page) =>
        page with
        {
            To = sum.To,
            Scanned = sum.Scanned + page.Scanned,
            Replayed = sum.Replayed + page.Replayed,
            NewDenials = sum.NewDenials + page.NewDenials,
            NewChallenges = sum.NewChallenges + page.NewChallenges,
            NewAllows = sum.NewAllows + page.NewAllows,
            NotTold = sum.NotTold + page.NotTold,
            Unreadable = sum.Unreadable + page.Unreadable,
            Counted = sum.Counted + page.Counted,
            ArchivedUntil = page.ArchivedUntil ?? sum.ArchivedUntil,
            Changes =
            [
                .. sum
                    .Changes.Concat(page.Changes)
                    .GroupBy(change => (change.Process, change.Then, change.Now))
                    .Select(same => same.First() with { Count = same.Sum(change => change.Count) }),
            ],
        };
}
