using CredBroker.Client;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;

namespace CredBroker.FaultHarness.Load;

/// <summary>
/// One admin: revokes agents, tasks, credentials and single leases, follows each order until it is complete, and
/// changes the policy.
/// </summary>
internal sealed class Admin(Arena arena, Ledger ledger, Tally tally, Dice dice, IReadOnlyList<string> instances)
{
    private readonly AdminClient _client = arena.Person("admin");

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
        var client = arena.Person("admin");
        var clock = await AskAsync(limit => client.GetClockAsync(limit).AsTask());
        if (clock is { KeepsFromIssuing: true })
        {
            await AskAsync(limit => client.RepairClockAsync(new() { Reason = "fault harness" }, limit).AsTask());
        }

        Task<StoreClockResponse?> AskAsync(Func<CancellationToken, Task<StoreClockResponse>> call) =>
            Traffic.TryAsync(tally, "clock", TimeSpan.FromSeconds(20), call);
    }

    private async Task OrderAsync(CancellationToken stop)
    {
        var (request, reaches) = Choose();
        var orderedAt = TimeProvider.System.GetUtcNow();
        var accepted = await Traffic.TryAsync(
            tally,
            "order",
            TimeSpan.FromSeconds(20),
            limit => _client.RevokeAsync(request, limit).AsTask()
        );
        if (accepted is null)
        {
            return;
        }

        while (!stop.IsCancellationRequested)
        {
            var progress = await Traffic.TryAsync(
                tally,
                "order's progress",
                TimeSpan.FromSeconds(20),
                limit => _client.GetRevocationAsync(accepted.RevocationId, limit).AsTask()
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
        const string reason = "fault harness";
        var held = ledger.Issued.OrderByDescending(issued => issued.ReceivedAt).Take(50).ToList();
        if (held.Count > 0 && dice.Chance(0.5))
        {
            var one = dice.Of(held);
            return dice.Chance(0.5)
                ? (new() { Lease = one.LeaseId, Reason = reason }, issued => issued.LeaseId == one.LeaseId)
                : (new() { Task = one.TaskId, Reason = reason }, issued => issued.TaskId == one.TaskId);
        }

        if (dice.Chance(0.15))
        {
            return (new() { Agent = "triage", Reason = reason }, _ => true);
        }

        var instance = dice.Of(instances);
        var hold = dice.Chance(0.2) ? "2s" : null;
        return (
            new()
            {
                Instance = instance,
                Reason = reason,
                Hold = hold,
                AllowNone = true,
            },
            issued => issued.Instance == instance
        );
    }
}
