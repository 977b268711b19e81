using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;

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
        var started = TimeProvider.System.GetTimestamp();
        while (!firing.IsCompleted)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience.Limit, "the firing does not end");
            broker.Time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await firing;
        Assert.Equal(LeaseState.Revoking, (await broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_clock_that_is_put_right_meanwhile_keeps_no_firing()
    {
        await using var broker = await BrokerHarness.StartAsync();
        var lease = await broker.IssueAsync();
        broker.Time.Advance(lease.ExpiresAt!.Value - broker.Time.GetUtcNow() - TimeSpan.FromMilliseconds(500));
        var firing = broker.Expiry.RunAsync(CancellationToken.None).AsTask();

        broker.Wall.Offset = TimeSpan.FromHours(-1);
        await broker.Store.CommitAsync(
            new StateChange.ClockRepaired { Event = StoreSamples.Event(ClockRepaired.TypeName) },
            CancellationToken.None
        );
        broker.Time.Advance(TimeSpan.FromSeconds(2));

        await firing.WaitAsync(Patience.Limit, TimeProvider.System);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(lease.Id)).State);
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
