using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing;

namespace CredBroker.FaultHarness.Faults;

/// <summary>What happens to the server that holds the store.</summary>
internal static class StoreFaults
{
    public static IReadOnlyList<Fault> Of(Arena arena, Tally tally, PostgresStore store) =>
        [
            .. store.HasStandby
                ? Enumerable.Repeat(
                    new Fault("the store failed over to its standby", dice => FailOverAsync(arena, tally, store, dice)),
                    4
                )
                : Fault.None,
            new(
                "the store's PostgreSQL crashed",
                async dice =>
                {
                    using var broken = arena.Calm.Break(null);
                    await store.Server.StopAsync();
                    await Fault.LastAsync(dice.Between(1, 10));
                    await store.Server.StartAgainAsync();
                }
            ),
            new(
                "the store's PostgreSQL restarted",
                async dice =>
                {
                    using var broken = arena.Calm.Break(null);
                    await store.Server.StopAsync("fast");
                    await store.Server.StartAgainAsync();
                }
            ),
        ];

    private static async Task FailOverAsync(Arena arena, Tally tally, PostgresStore store, Dice dice)
    {
        using (arena.Calm.Break(null))
        {
            // A synchronous standby that hears nothing would only keep everything from being committed.
            var behind = dice.Chance(0.7) && !store.IsSynchronous ? dice.Between(1.5, 5) : TimeSpan.Zero;
            if (!await store.FailOverAsync(behind))
            {
                tally.Add("failover", "not done: the standby was not in step");
                return;
            }

            tally.Add(
                "failover",
                behind > TimeSpan.Zero ? "to a standby that was cut off" : "to a standby that followed"
            );
            await Operator.AcceptAsync(arena, tally);
        }

        await store.FollowAsync();
    }
}
