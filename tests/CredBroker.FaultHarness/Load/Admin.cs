using CredBroker.Client;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;

namespace CredBroker.FaultHarness.Load;

/// <summary>
/// One admin: revokes agents, tasks, credentials and single leases, follows each order until it is complete, places and
/// lifts holds, and changes the policy. Each call goes to any of the brokers.
/// </summary>
internal sealed class Admin(
    Arena arena,
    Ledger ledger,
    Tally tally,
    StopProbe probe,
    Dice dice,
    IReadOnlyList<string> instances
)
{
    private const string Reason = "fault harness";

    /// <summary>Longer than an answer is waited for, so that it is in force when it is known to be.</summary>
    private static readonly TimeSpan HoldFor = TimeSpan.FromSeconds(40);

    // A request that was noted before the order is refused by that, any other by the hold.
    private static readonly string[] OfHolds = ["CB2017", "CB2015"];

    private readonly IReadOnlyList<AdminClient> _clients = arena.Person("admin");

    private AdminClient Client => dice.Of(_clients);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Pause.ForAsync(dice.Between(1, 5), stop);
            if (dice.Chance(0.2))
            {
                tally.Add("policy", "changed");
                await arena.WritePolicyAsync(without: dice.Of(instances));
                await Pause.ForAsync(dice.Between(1, 4), stop);
                await arena.WritePolicyAsync();
            }
            else if (dice.Chance(0.2))
            {
                await HoldAsync();
            }
            else
            {
                await OrderAsync(stop);
            }
        }

        await arena.WritePolicyAsync();
    }

    /// <summary>Says that the broker's clock is right again, should the broker not believe it by itself.</summary>
    public static async Task RepairClockAsync(Arena arena, Tally tally)
    {
        var client = arena.Person("admin")[0];
        var clock = await AskAsync(limit => client.GetClockAsync(limit).AsTask());
        if (clock is { KeepsFromIssuing: true })
        {
            await AskAsync(limit => client.RepairClockAsync(new() { Reason = Reason }, limit).AsTask());
        }

        Task<StoreClockResponse?> AskAsync(Func<CancellationToken, Task<StoreClockResponse>> call) =>
            Traffic.TryAsync(tally, "clock", TimeSpan.FromSeconds(20), call);
    }

    private async Task HoldAsync()
    {
        var (instance, losses) = (dice.Of(instances), arena.Store.Losses);
        var placed = await Traffic.TryAsync(
            tally,
            "hold",
            TimeSpan.FromSeconds(20),
            limit =>
                Client
                    .PlaceHoldAsync(
                        new()
                        {
                            Instance = instance,
                            Reason = Reason,
                            For = HoldFor,
                            AllowNone = true,
                        },
                        limit
                    )
                    .AsTask()
        );

        // What is not on record, its broker alone knows.
        if (placed is { RecordMissing: null or false })
        {
            await StopAsync($"hold {placed.HoldId}", placed.HoldId, instance, losses);
        }
    }

    /// <summary>The hold stops everybody's issuing; then it is lifted, at any broker.</summary>
    private async Task StopAsync(string what, string holdId, string instance, int losses)
    {
        await probe.RunAsync(what, OfHolds, instance, $"{instance}-held", losses);
        await Traffic.TryAsync(
            tally,
            "hold lifted",
            TimeSpan.FromSeconds(20),
            limit => Client.LiftHoldAsync(holdId, new() { Reason = Reason }, limit).AsTask()
        );
    }

    private async Task OrderAsync(CancellationToken stop)
    {
        var (request, reaches) = Choose();
        var (orderedAt, losses) = (TimeProvider.System.GetUtcNow(), arena.Store.Losses);
        var accepted = await Traffic.TryAsync(
            tally,
            "order",
            TimeSpan.FromSeconds(20),
            limit => Client.RevokeAsync(request, limit).AsTask()
        );
        if (accepted is null)
        {
            return;
        }

        if (accepted is { HoldId: { } held, RecordMissing: null or false })
        {
            await StopAsync($"quarantine {accepted.RevocationId}", held, request.Instance!, losses);
        }

        while (!stop.IsCancellationRequested)
        {
            var progress = await Traffic.TryAsync(
                tally,
                "order's progress",
                TimeSpan.FromSeconds(20),
                limit => Client.GetRevocationAsync(accepted.RevocationId!, limit).AsTask()
            );
            if (progress is { Complete: true })
            {
                // Complete means everything that an agent held when the order was given.
                foreach (var issued in ledger.Issued.Where(one => one.ReceivedAt < orderedAt && reaches(one)))
                {
                    ledger.Tell(issued.LeaseId, $"order {accepted.RevocationId} of {orderedAt:HH:mm:ss.fff}: complete");
                }

                tally.Add("order's end", "complete");
                return;
            }

            if (TimeProvider.System.GetUtcNow() - orderedAt > TimeSpan.FromSeconds(40))
            {
                tally.Add("order's end", "not waited for");
                return;
            }

            await Pause.ForAsync(TimeSpan.FromMilliseconds(300), stop);
        }
    }

    private (RevocationRequest Request, Func<Issued, bool> Reaches) Choose()
    {
        var held = ledger.Issued.OrderByDescending(issued => issued.ReceivedAt).Take(50).ToList();
        if (held.Count > 0 && dice.Chance(0.5))
        {
            var one = dice.Of(held);
            return dice.Chance(0.5)
                ? (new() { Lease = one.LeaseId, Reason = Reason }, issued => issued.LeaseId == one.LeaseId)
                : (new() { Task = one.TaskId, Reason = Reason }, issued => issued.TaskId == one.TaskId);
        }

        if (dice.Chance(0.15))
        {
            return (new() { Agent = "triage", Reason = Reason }, _ => true);
        }

        var instance = dice.Of(instances);
        var hold = dice.Chance(0.3) ? $"{HoldFor.TotalSeconds:0}s" : null;
        return (
            new()
            {
                Instance = instance,
                Reason = Reason,
                Hold = hold,
                AllowNone = true,
            },
            issued => issued.Instance == instance
        );
    }
}
