using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_lease_that_a_hold_reaches_is_not_opened()
    {
        await CommitAsync(Samples.Held(new() { Agent = "triage", Credential = "billing" }));
        Assert.Equal(1, Store.Position.Holds);
        await AssertGuardAsync(GuardFailure.Held, Samples.Opened());
        Assert.True(await Store.Holds.IsHeldAsync(Samples.Decision(), "", default));
        await CommitAsync(Samples.Opened(Samples.Lease(Samples.Decision(credential: "other"))));
        Assert.False(await Store.Holds.IsHeldAsync(Samples.Decision(credential: "other"), "", default));
    }

    [Fact]
    public async Task A_hold_of_everything_reaches_everything()
    {
        await CommitAsync(Samples.Held(new() { Everything = true }));
        await AssertGuardAsync(GuardFailure.Held, Samples.Opened());
    }

    [Fact]
    public async Task A_hold_lapses_at_its_time_and_not_before()
    {
        var held = Samples.Held(new() { Instance = "i-1" }, TimeSpan.FromHours(2));
        await CommitAsync(held);
        Time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromMilliseconds(1));
        await AssertGuardAsync(GuardFailure.Held, Samples.Opened());
        Assert.Equal([held.Hold], await Store.Holds.ListInForceAsync(default));

        Time.Advance(TimeSpan.FromMilliseconds(1));
        await CommitAsync(Samples.Opened());
        Assert.Empty(await Store.Holds.ListInForceAsync(default));
        Assert.False(await Store.Holds.IsHeldAsync(Samples.Decision(), "", default));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Lifted(held.Hold.Id));
        Assert.Equal(held.Hold, await Store.Holds.FindAsync(held.Hold.Id, default));
    }

    [Fact]
    public async Task A_hold_lasts_over_a_restart_until_it_is_lifted()
    {
        var held = Samples.Held(new() { TrustDomain = "acme.example" });
        await CommitAsync(held);
        Time.Advance(TimeSpan.FromDays(400));
        Reopen();
        Assert.Equal(1, Store.Position.Holds);
        await AssertGuardAsync(GuardFailure.Held, Samples.Opened());

        await CommitAsync(StoreSamples.Lifted(held.Hold.Id));
        Assert.Equal(0, Store.Position.Holds);
        await CommitAsync(Samples.Opened());
        Assert.Equal(
            held.Hold with
            {
                LiftedAt = Now,
                LiftedBy = "person:https://idp.example#other",
                LiftReason = "it is over",
            },
            await Store.Holds.FindAsync(held.Hold.Id, default)
        );
        Assert.Empty(await Store.Holds.ListInForceAsync(default));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Lifted(held.Hold.Id));
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Lifted(Samples.NewId()));
    }

    [Fact]
    public async Task A_lease_that_was_opened_before_the_hold_does_not_become_active()
    {
        var lease = await PendingLeaseAsync();
        await CommitAsync(Samples.Held(new() { Workload = "triage" }));
        await AssertGuardAsync(GuardFailure.Held, Samples.Activated(lease.Id));
        Assert.Equal(LeaseState.Pending, (await FindAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_held_lease_is_not_extended_but_its_end_is_brought_forward()
    {
        var lease = await ActiveLeaseAsync();
        await CommitAsync(Samples.Held(new() { Owner = "no-such-owner" }));
        await CommitAsync(Samples.Renewed(lease.Id));
        var held = Samples.Held(new() { Lease = lease.Id });
        await CommitAsync(held);
        Time.Advance(TimeSpan.FromSeconds(1));
        await AssertGuardAsync(GuardFailure.Held, Samples.Renewed(lease.Id));
        await CommitAsync(Samples.Renewed(lease.Id) with { ExpiresAt = Now.AddMinutes(1) });
        await CommitAsync(StoreSamples.Lifted(held.Hold.Id));
        await CommitAsync(Samples.Renewed(lease.Id));
    }

    [Fact]
    public async Task A_hold_and_an_order_are_one_commit()
    {
        var (held, ordered) = (Samples.Held(new() { Agent = "triage" }), Samples.Ordered(new() { Agent = "triage" }));
        await CommitAsync(new StateChange.All([held, ordered]));
        Assert.Equal((1L, 1L), (Store.Position.Holds, Store.Position.Fence));

        await AssertGuardAsync(
            GuardFailure.NotFound,
            new StateChange.All([Samples.Held(new() { Everything = true }), StoreSamples.Lifted(Samples.NewId())])
        );
        Assert.Equal((1L, 1), (Store.Position.Holds, (await Store.Holds.ListInForceAsync(default)).Count));
    }

    [Fact]
    public async Task There_are_never_more_holds_than_an_opening_can_be_compared_with()
    {
        var holds = Enumerable
            .Range(0, Hold.MaxInForce)
            .Select(number => Samples.Held(new() { Instance = $"i-{number}" }, TimeSpan.FromHours(1)))
            .ToList();
        await Task.WhenAll(holds.Select(CommitAsync));
        await AssertGuardAsync(GuardFailure.TooManyHolds, Samples.Held(new() { Everything = true }));
        await CommitAsync(StoreSamples.Lifted(holds[7].Hold.Id));
        await CommitAsync(Samples.Held(new() { Instance = "one-more" }, TimeSpan.FromHours(1)));

        // What has lapsed makes room.
        await AssertGuardAsync(GuardFailure.TooManyHolds, Samples.Held(new() { Everything = true }));
        Time.Advance(TimeSpan.FromHours(1));
        await CommitAsync(Samples.Held(new() { Everything = true }));
        Assert.Equal(1, Store.Position.Holds);
    }

    [Fact]
    public async Task The_names_on_leases_are_found_once_each_those_that_are_over_too()
    {
        await PendingLeaseAsync(Samples.Decision(instance: "i-1"));
        await PendingLeaseAsync(Samples.Decision(instance: "i-1"));
        var over = await RevokingLeaseAsync(Samples.Decision(instance: "i-2", task: "t-2"));
        await CommitAsync(StoreSamples.Revoked(over.Id));
        Assert.Equal(["i-1", "i-2"], (await Store.Leases.FindNamesAsync(SelectorField.Instance, default)).Order());
        foreach (var field in Enum.GetValues<SelectorField>())
        {
            Assert.NotEmpty(await Store.Leases.FindNamesAsync(field, default));
        }
    }
}
