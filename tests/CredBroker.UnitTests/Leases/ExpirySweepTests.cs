using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Leases;

/// <summary>What ends is ended then, however much ends.</summary>
public sealed class ExpirySweepTests
{
    [Fact]
    public async Task A_timer_that_comes_before_the_end_keeps_no_lease_past_it()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        broker.Time.Advance(lease.ExpiresAt!.Value - broker.Time.GetUtcNow() - TimeSpan.FromMilliseconds(500));
        var firing = broker.Expiry.RunAsync(CancellationToken.None).AsTask();

        // The wall clock is behind by what the timer comes too early.
        broker.Wall.Offset = TimeSpan.FromMilliseconds(-5);
        for (var passed = 0; !firing.IsCompleted; passed++)
        {
            Assert.InRange(passed, 0, 10_000);
            broker.Time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await firing;
        Assert.Equal(LeaseState.Revoking, (await broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_firing_ends_however_much_is_due_and_the_next_tries_again_what_it_could_not_end()
    {
        LosingStore<StateChange.RevocationClaimed>? store = null;
        await using var broker = await BrokerHarness.StartAsync(wrapStore: inner => store = new(inner));
        var leases = await Task.WhenAll(Enumerable.Range(0, 501).Select(_ => broker.IssueAsync()));
        broker.Time.Advance(TimeSpan.FromMinutes(16));
        var refused = leases.MinBy(lease => lease.ExpiresAt)!.Id;
        store!.Loses = claim => claim.LeaseId == refused;
        store.Lost = true;
        store.OnTaken = _ =>
        {
            // By now it has taken some seconds.
            broker.Time.Advance(TimeSpan.FromMilliseconds(10));
            return Task.CompletedTask;
        };

        await broker.Expiry.RunAsync(CancellationToken.None);
        var left = await broker.LeasesAsync(LeaseState.Active);
        Assert.Equal(2, left.Count);

        store.Lost = false;
        await broker.Expiry.RunAsync(CancellationToken.None);
        Assert.Empty(await broker.LeasesAsync(LeaseState.Active));
    }
}
