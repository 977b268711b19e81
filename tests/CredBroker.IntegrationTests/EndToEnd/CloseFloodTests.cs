using System.Globalization;
using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>Agents that close tasks as fast as they can, and an admin's order in the midst of it.</summary>
public sealed class CloseFloodTests
{
    private const int Closes = 10_000;
    private const int AtOnce = 64;
    private const int Agents = 20;
    private const int Opened = 600;

    // On a machine of its own: accepted within 200 ms and done within 2 s. This one is shared.
    private static readonly TimeSpan Accepted = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Done = TimeSpan.FromSeconds(10);
    private const int MaxResidentMegabytes = 300;

    [Fact]
    public async Task Ten_thousand_closed_tasks_keep_no_order_waiting_and_fill_no_memory()
    {
        await using var world = await World.StartAsync();
        var agents = Enumerable.Range(0, Agents).Select(i => world.Agent($"i-{i}")).ToList();
        var (victim, secret) = await world.IssueAsync(world.Agent("victim"), task: "t-victim");

        // Some of the tasks were worked on: closing those makes an order each.
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Opened),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (i, _) => await world.ExchangeAsync(agents[i % Agents], task: $"t-{i}", credential: "api-key")
        );
        var closed = 0;
        var flood = Parallel.ForEachAsync(
            Enumerable.Range(0, Closes),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (i, stopping) =>
            {
                await agents[i % Agents].CloseTaskAsync($"t-{i}", new() { Process = "invoice-triage" }, stopping);
                Interlocked.Increment(ref closed);
            }
        );
        await Eventually.BecomesTrueAsync(() => Task.FromResult(closed > Closes / 2), "half of them are closed");

        var (accepted, done) = await OrderAsync(world, victim);
        Assert.False(flood.IsCompleted, "the order came too late to meet the flood");
        await flood;
        Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        var resident = Resident(world.Broker.Id);
        TestContext.Current.TestOutputHelper?.WriteLine($"accepted {accepted}, done {done}, {resident} MB");

        Assert.InRange(accepted, TimeSpan.Zero, Accepted);
        Assert.InRange(done, TimeSpan.Zero, Done);
        Assert.InRange(resident, 0, MaxResidentMegabytes);
    }

    private static async Task<(TimeSpan Accepted, TimeSpan Done)> OrderAsync(World world, string leaseId)
    {
        var admin = world.Person("admin");
        var began = TimeProvider.System.GetTimestamp();
        var order = await admin.RevokeAsync(new() { Lease = leaseId, Reason = "incident" });
        var accepted = TimeProvider.System.GetElapsedTime(began);
        await Eventually.BecomesTrueAsync(
            async () => (await admin.GetRevocationAsync(order.RevocationId)).Complete,
            "the order is complete"
        );
        return (accepted, TimeProvider.System.GetElapsedTime(began));
    }

    /// <summary>What the process has in memory, as the kernel counts it.</summary>
    private static int Resident(int processId) =>
        int.Parse(
            File.ReadLines($"/proc/{processId}/status")
                .Single(line => line.StartsWith("VmRSS", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            CultureInfo.InvariantCulture
        ) / 1024;
}
