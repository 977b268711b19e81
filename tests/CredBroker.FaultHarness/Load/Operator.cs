using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Load;

/// <summary>
/// Who looks after a store that has failed over: once a broker finds that it has gone back, it is taken as it is, by the
/// call that <c>credbroker store accept</c> makes.
/// </summary>
internal static class Operator
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Looks until every broker has compared the store with its anchor and none keeps from issuing for it.</summary>
    public static async Task AcceptAsync(Arena arena, Tally tally)
    {
        var started = TimeProvider.System.GetTimestamp();
        var people = arena.Person("admin");
        while (TimeProvider.System.GetElapsedTime(started) < Longest)
        {
            var agree = 0;
            foreach (var admin in people)
            {
                var anchor = await Traffic.TryAsync(
                    tally,
                    "anchor",
                    Patience,
                    limit => admin.GetStoreAnchorAsync(limit).AsTask()
                );
                if (anchor is { AcceptAs: { } epoch })
                {
                    Log.Line($"the store has gone back, {anchor.Missing.Count} heads are missing: accepted as {epoch}");
                    await Traffic.TryAsync(
                        tally,
                        "store accepted",
                        Patience,
                        limit =>
                            admin.AcceptStoreAsync(new() { Epoch = epoch, Reason = "fault harness" }, limit).AsTask()
                    );
                }
                else if (anchor is { KeepsFromIssuing: false })
                {
                    agree++;
                }
            }

            if (agree == people.Count)
            {
                return;
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(300), CancellationToken.None);
        }

        tally.Add("anchor", "not compared everywhere in time");
    }
}
