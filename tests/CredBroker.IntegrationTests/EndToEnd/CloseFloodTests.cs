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
    private const int Orders = 5;

    private const int MaxResidentMegabytes = 300;

    // What a machine of its own keeps to, and the worst of a machine that has other things to do.
    private static readonly (TimeSpan Accepted, TimeSpan Done) Bound = (
        TimeSpan.FromMilliseconds(200),
        TimeSpan.FromSeconds(2)
    );
    private static readonly (TimeSpan Accepted, TimeSpan Done) AtWorst = (
        TimeSpan.FromSeconds(2),
        TimeSpan.FromSeconds(10)
    );

    [Fact]
    public async Task Ten_thousand_closed_tasks_keep_no_order_waiting_and_fill_no_memory()
    {
        await using var world = await World.StartAsync();
        var agents = Enumerable.Range(0, Agents).Select(i => world.Agent($"i-{i}")).ToList();
        var victims = new List<(string Lease, DatabaseSecret Secret)>();
        for (var i = 0; i < Orders; i++)
        {
            victims.Add(await world.IssueAsync(world.Agent("victim"), task: $"t-victim-{i}"));
        }

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

        var took = new List<(TimeSpan Accepted, TimeSpan Done)>();
        foreach (var (lease, secret) in victims)
        {
            var met = !flood.IsCompleted;
            var order = await OrderAsync(world, lease);
            Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
            if (met)
            {
                took.Add(order);
            }
        }

        await flood;
        var peak = PeakMegabytes(world.Broker.Id);
        var measured = $"{string.Join(", ", took)}, at most {peak} MB";
        TestContext.Current.TestOutputHelper?.WriteLine(measured);
        Assert.True(took.Count > 0, "the orders came too late to meet the flood");
        Assert.True(took.Min(order => order.Accepted) <= Bound.Accepted, measured);
        Assert.True(took.Min(order => order.Done) <= Bound.Done, measured);
        Assert.True(took.Max(order => order.Accepted) <= AtWorst.Accepted, measured);
        Assert.True(took.Max(order => order.Done) <= AtWorst.Done, measured);
        Assert.InRange(peak, 0, MaxResidentMegabytes);
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

    /// <summary>The most that the process ever had in memory, as the kernel counts it.</summary>
    private static int PeakMegabytes(int processId) =>
        int.Parse(
            File.ReadLines($"/proc/{processId}/status")
                .Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            CultureInfo.InvariantCulture
        ) / 1024;
}
