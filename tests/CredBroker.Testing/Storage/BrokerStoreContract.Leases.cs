using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.Testing.Audit;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_lease_is_found_as_it_was_opened()
    {
        var lease = await PendingLeaseAsync();
        AssertEqual(lease, await FindAsync(lease.Id));
    }

    [Fact]
    public async Task A_decision_is_kept_once_in_the_record_that_tells_it_and_by_itself_when_that_is_cut_off()
    {
        // What hides is escaped in the record.
        var hiding = Samples.Decision() with
        {
            Task = new("t-1", "invoices", "sort\u200b \u202einvoices \ud83d\ude42"),
        };
        var (active, over) = (await ActiveLeaseAsync(hiding), await RevokingLeaseAsync());
        await CommitAsync(StoreSamples.Revoked(over.Id));
        over = await FindAsync(over.Id);
        AssertEqual(active with { Decision = hiding }, active);
        var (approved, late) = (await ApprovedAsync(), new[] { Samples.NewId(), Samples.NewId() });
        // Of this one other things are told before.
        var redeemed = Samples.Redeemed(approved);
        await CommitAsync(redeemed);
        await CommitAsync(StoreSamples.Late(late[0], over.Id));
        await CommitAsync(StoreSamples.Late(late[1], over.Id));
        var end = Store.Position.AuditHead;
        Time.Advance(TimeSpan.FromDays(1));
        var after = await ActiveLeaseAsync();

        await CommitAsync(StoreSamples.Archived(end, Now));
        for (var gone = 1L; gone > 0; )
        {
            gone = (await CommitAsync(StoreSamples.Deleted(end, limit: 2))).Number;
            AssertEqual(active, await FindAsync(active.Id));
            AssertEqual(over, await FindAsync(over.Id));
            AssertEqual(after, await FindAsync(after.Id));
            AssertEqual(redeemed.Lease, await FindAsync(redeemed.Lease.Id));
            Assert.All(
                await Task.WhenAll(late.Select(FindAsync)),
                lease => Assert.Equal(over.Decision.Id, lease.Decision.Id)
            );
        }

        Assert.DoesNotContain(await ReadLogAsync(), record => record.Sequence <= end.Sequence);
        Reopen();
        Assert.Equal(
            [after.Id, redeemed.Lease.Id, late[1], late[0], over.Id, active.Id],
            (await Store.Leases.ListAsync(new(), default)).Leases.Select(lease => lease.Id)
        );
        await CommitAsync(Samples.Renewed(after.Id));
        await CommitAsync(Samples.Held(new() { Agent = "triage" }));
        await AssertGuardAsync(GuardFailure.Held, Samples.Activated(redeemed.Lease.Id));
    }

    [Fact]
    public async Task An_opening_is_told_by_an_event_that_can_tell_its_decision()
    {
        var opened = Samples.Opened();
        foreach (
            var told in new[]
            {
                opened.Event! with
                {
                    LeaseId = Samples.NewId(),
                },
                opened.Event! with
                {
                    DecisionId = null,
                },
                opened.Event! with
                {
                    What = new TestFact("request.allowed", json => json.WriteNumber("a", 1)),
                },
                null,
            }
        )
        {
            await Assert.ThrowsAsync<ArgumentException>(async () =>
                await Store.CommitAsync(opened with { Event = told }, default)
            );
        }
    }

    [Fact]
    public async Task An_unknown_lease_is_not_found() =>
        Assert.Null(await Store.Leases.FindAsync(Samples.NewId(), default));

    [Fact]
    public async Task Activation_stores_handles_and_times()
    {
        var lease = await PendingLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(2));
        var committed = await CommitAsync(Samples.Activated(lease.Id));
        Assert.Equal(Now, committed.At);
        AssertEqual(
            lease with
            {
                State = LeaseState.Active,
                VaultLeaseId = StoreSamples.Handles.VaultLeaseId,
                PublicName = StoreSamples.Handles.PublicName,
                ActivatedAt = Now,
                ExpiresAt = Now.AddMinutes(3),
                GraceUntil = Now.AddMinutes(10),
            },
            await FindAsync(lease.Id)
        );
    }

    [Fact]
    public async Task A_lease_is_activated_once()
    {
        var lease = await ActiveLeaseAsync();
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Activated(lease.Id));
        await AssertGuardAsync(GuardFailure.NotFound, Samples.Activated(Samples.NewId()));
    }

    [Fact]
    public async Task A_lease_is_not_activated_at_its_deadline()
    {
        var lease = await PendingLeaseAsync();
        Time.Advance(TimeSpan.FromSeconds(30));
        await AssertGuardAsync(GuardFailure.DeadlinePassed, Samples.Activated(lease.Id));
    }

    [Fact]
    public async Task A_revoked_pending_lease_is_not_activated_but_its_handles_are_kept()
    {
        var lease = await PendingLeaseAsync();
        await CommitAsync(Samples.Claimed(lease.Id));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Activated(lease.Id));
        await CommitAsync(StoreSamples.Recorded(lease.Id, StoreSamples.Handles));
        await CommitAsync(StoreSamples.Recorded(lease.Id, new(null, "token-accessor", "name")));
        var found = await FindAsync(lease.Id);
        Assert.Equal(
            (LeaseState.Revoking, StoreSamples.Handles.VaultLeaseId, "token-accessor"),
            (found.State, found.VaultLeaseId, found.CredentialAccessor)
        );
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Recorded(Samples.NewId(), StoreSamples.Handles));
    }

    [Fact]
    public async Task Leases_that_are_not_over_are_counted_with_what_is_due_and_since_when()
    {
        Assert.Equal(new(0, 0, 0, 0, 0, null), await Store.Leases.CountAsync(default));
        await PendingLeaseAsync();
        var expired = await ActiveLeaseAsync();
        Time.Advance(TimeSpan.FromMinutes(2));
        await ActiveLeaseAsync();
        var (claimed, over) = (await ActiveLeaseAsync(), await ActiveLeaseAsync());
        await CommitAsync(Samples.Claimed(over.Id));
        await CommitAsync(StoreSamples.Revoked(over.Id));
        Assert.Equal(new(1, 3, 0, 0, 0, null), await Store.Leases.CountAsync(default));

        Time.Advance(TimeSpan.FromMinutes(2));
        await CommitAsync(Samples.Claimed(claimed.Id));

        // The one that expired, a minute ago, and the one that somebody has just ordered to be revoked.
        Assert.Equal(new(1, 2, 1, 0, 2, expired.ExpiresAt), await Store.Leases.CountAsync(default));
    }

    [Fact]
    public async Task What_is_put_on_record_is_told_once_it_is_durable()
    {
        var told = new List<string>();
        Log.Recorded += recorded => told.Add(recorded.What.Type);
        var lease = await ActiveLeaseAsync();
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Activated(lease.Id));

        Assert.Equal(["request.allowed", "lease.issued"], told);
    }

    [Fact]
    public async Task A_renewal_moves_the_end()
    {
        var lease = await ActiveLeaseAsync();
        Time.Advance(TimeSpan.FromMinutes(1));
        await CommitAsync(Samples.Renewed(lease.Id));
        var found = await FindAsync(lease.Id);
        Assert.Equal((Now.AddMinutes(8), Now.AddMinutes(9)), (found.ExpiresAt!.Value, found.GraceUntil!.Value));
    }

    [Fact]
    public async Task What_is_not_active_is_not_renewed()
    {
        await AssertGuardAsync(GuardFailure.NotFound, Samples.Renewed(Samples.NewId()));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Renewed((await PendingLeaseAsync()).Id));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Renewed((await RevokingLeaseAsync()).Id));
    }

    [Fact]
    public async Task An_expired_lease_is_not_renewed_even_before_it_is_revoked()
    {
        var lease = await ActiveLeaseAsync();
        Time.Advance(TimeSpan.FromMinutes(3));
        await AssertGuardAsync(GuardFailure.DeadlinePassed, Samples.Renewed(lease.Id));
    }

    [Fact]
    public async Task A_denial_is_recorded() =>
        Assert.Equal(
            2,
            (
                await CommitAsync(
                    new StateChange.RequestDenied
                    {
                        Decision = Samples.Decision(),
                        Event = StoreSamples.Event("request.denied"),
                    }
                )
            )
                .Event!
                .Sequence
        );

    [Fact]
    public async Task Text_of_any_language_is_kept()
    {
        var decision = Samples.Decision(instance: "エージェント-ñ-🙂", task: "' OR 1=1 --");
        var lease = await PendingLeaseAsync(decision);
        AssertEqual(lease, await FindAsync(lease.Id));
        Assert.Equal(
            [lease.Id],
            await ListAsync(
                new()
                {
                    Selector = new() { Instance = decision.Identity.Instance, Task = decision.Task.Id },
                }
            )
        );
    }

    /// <summary>Records compare collections by reference; as JSON they compare by value.</summary>
    private static void AssertEqual(Lease expected, Lease actual)
    {
        Assert.Equal(Json(expected), Json(actual));
        Assert.Equal(expected with { Decision = actual.Decision }, actual);

        static string Json(Lease lease) => JsonSerializer.Serialize(lease.Decision, StateJson.Default.DecisionRecord);
    }
}
