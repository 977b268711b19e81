using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Faults;

/// <summary>What happens to the server that holds the store.</summary>
internal static class StoreFaults
{
    public static IReadOnlyList<Fault> Of(Arena arena, PostgresStore store) =>
        [
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
}
