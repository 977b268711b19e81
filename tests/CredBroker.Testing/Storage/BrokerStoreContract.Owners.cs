using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task Who_is_gone_is_found_over_a_restart_until_they_are_back()
    {
        Assert.Equal(0, Store.Position.Owners);
        await CommitAsync(Gone("ann"));
        await CommitAsync(Gone("bob"));
        Reopen();
        Assert.Equal(2, Store.Position.Owners);
        var retired = await Store.Owners.ListRetiredAsync(default);
        Assert.Equal(["bob", "ann"], retired.Select(owner => owner.Subject));
        Assert.Equal(("left", "https://people.example"), (retired[0].Reason, retired[0].Issuer));

        await CommitAsync(Back("bob"));
        Assert.Equal(3, Store.Position.Owners);
        Assert.Equal(["ann"], (await Store.Owners.ListRetiredAsync(default)).Select(owner => owner.Subject));
        await CommitAsync(Gone("bob"));
    }

    [Fact]
    public async Task Nobody_goes_twice_nor_comes_back_who_never_went_nor_under_another_policy()
    {
        await CommitAsync(Gone("ann"));
        await AssertGuardAsync(GuardFailure.WrongState, Gone("ann"));
        await AssertGuardAsync(GuardFailure.NotFound, Back("bob"));
        await AssertGuardAsync(GuardFailure.PolicyChanged, Gone("bob") with { PolicyVersion = 7 });
    }

    [Fact]
    public async Task Nothing_opens_that_was_decided_while_the_owner_was_there()
    {
        var owned = Owned(isGone: false);
        await CommitAsync(Samples.Opened(Samples.Lease(owned), Store.Position.Fence));
        await CommitAsync(Gone("owner-9"));
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Opened(Samples.Lease(Owned(isGone: false)), Store.Position.Fence)
        );
        await AssertGuardAsync(GuardFailure.PolicyChanged, Samples.Asked(Owned(isGone: false)));
        await CommitAsync(Samples.Opened(Samples.Lease(Owned(isGone: true)), Store.Position.Fence));
        await CommitAsync(Samples.Opened(Samples.Lease(), Store.Position.Fence));

        await CommitAsync(Back("owner-9"));
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Opened(Samples.Lease(Owned(isGone: true)), Store.Position.Fence)
        );
    }

    [Fact]
    public async Task Nothing_is_extended_that_was_decided_while_the_owner_was_there()
    {
        var lease = await ActiveLeaseAsync(Owned(isGone: false));
        await CommitAsync(Gone("owner-9"));
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Renewed(lease.Id) with
            {
                Decision = lease.Decision,
            }
        );
        // What only ends it earlier was decided by nobody anew.
        await CommitAsync(Samples.Renewed(lease.Id) with { Decision = null });
    }

    [Fact]
    public async Task Who_is_gone_agrees_to_nothing()
    {
        var asked = await AskedAsync();
        var agreed = Samples.Agreed(asked.Id);
        await CommitAsync(Gone(agreed.Agreement.Subject, agreed.Agreement.Issuer));
        await AssertGuardAsync(GuardFailure.OwnerGone, agreed);
    }

    private DecisionRecord Owned(bool isGone)
    {
        var decision = Samples.Decision();
        return decision with
        {
            Verdict = decision.Verdict with
            {
                Grant = decision.Verdict.Grant! with
                {
                    Process = decision.Verdict.Grant.Process with
                    {
                        Owner = new("https://people.example", "owner-9", "nine@example.com"),
                        IsOwnerGone = isGone,
                    },
                },
            },
        };
    }

    private StateChange.OwnerRetired Gone(string subject, string issuer = "https://people.example") =>
        new()
        {
            Owner = new()
            {
                Issuer = issuer,
                Subject = subject,
                Reason = "left",
                RetiredBy = "person:x#ada",
                RetiredAt = Store.Position.UtcNow,
            },
            PolicyVersion = 0,
            Event = new()
            {
                What = new Core.Audit.Events.OwnerRetired
                {
                    Issuer = issuer,
                    Subject = subject,
                    Reason = "left",
                    Processes = [],
                },
                Actor = AuditActor.Person("https://people.example", "ada"),
            },
        };

    private static StateChange.OwnerReinstated Back(string subject) =>
        new()
        {
            Issuer = "https://people.example",
            Subject = subject,
            ReinstatedBy = "person:x#ada",
            Reason = "back",
            Event = new()
            {
                What = new Core.Audit.Events.OwnerReinstated
                {
                    Issuer = "https://people.example",
                    Subject = subject,
                    Reason = "back",
                },
                Actor = AuditActor.Person("https://people.example", "ada"),
            },
        };
}
