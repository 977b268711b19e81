using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Faults;

/// <summary>What happens to OpenBao and to the database that it makes users in.</summary>
internal static class ServerFaults
{
    public static IReadOnlyList<Fault> Of(Arena arena) =>
        [
            new(
                "OpenBao killed",
                async dice =>
                {
                    using var broken = arena.Calm.Break(null);
                    await arena.Vault.KillAsync();
                    await Fault.LastAsync(dice.Between(0, 5));
                    await arena.Vault.RestartAsync();
                }
            ),
            new(
                "OpenBao paused",
                async dice =>
                {
                    using var broken = arena.Calm.Break(null);
                    await arena.Vault.SignalAsync("STOP");
                    await Fault.LastAsync(Fault.Long(dice));
                    await arena.Vault.SignalAsync("CONT");
                }
            ),
            new(
                "OpenBao sealed",
                async dice =>
                {
                    using var broken = arena.Calm.Break(null);
                    await arena.Vault.SealAsync();
                    await Fault.LastAsync(dice.Between(1, 8));
                    await arena.Vault.UnsealAsync();
                }
            ),
            new(
                "PostgreSQL stopped",
                async dice =>
                {
                    using var broken = arena.Calm.Break(null);
                    await arena.Postgres.StopAsync();
                    await Fault.LastAsync(dice.Between(1, 10));
                    await arena.Postgres.StartAgainAsync();
                }
            ),
        ];
}
