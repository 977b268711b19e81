using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Revocations;

/// <summary>What people order while the store takes nothing: who is killed first, and what becomes of a hold.</summary>
public sealed class UnrecordedOrdersTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;
    private LosingStore<StateChange> _store = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync(wrapStore: store => _store = new(store));
        await _broker.ApplyAsync(HarnessPolicy.WithOtherDatabase());
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task What_is_known_is_killed_while_Vault_is_still_listing_what_is_not()
    {
        await _broker.IssueAsync();
        var goOn = new TaskCompletionSource();
        _broker.Issuer.BeforeList = _ => goOn.Task;
        _store.Lost = true;

        await OrderAsync(new() { Everything = true });
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(_broker.Issuer.Alive.IsEmpty),
            "the known one is killed"
        );
        goOn.SetResult();
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_either_hides_nothing_from_an_order_of_everything()
    {
        await _broker.IssueAsync();
        _store.Lost = true;
        await _broker.ExecuteAsync("ALTER TABLE lease RENAME TO away");

        await OrderAsync(new() { Everything = true });
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(_broker.Issuer.Alive.IsEmpty),
            "it is killed as a stray"
        );
    }

    [Fact]
    public async Task Damaged_ones_of_a_backend_that_hangs_hold_up_nobody_and_keep_few_calls_open()
    {
        var damaged = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _broker.IssueAsync()));
        var behind = await _broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        await _broker.ExecuteAsync("UPDATE lease SET told_sequence = -1");
        var well = await _broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        var (open, most, hang) = (0, 0, new TaskCompletionSource());
        _broker.Issuer.BeforeStray = async id =>
        {
            if (id.StartsWith("database/creds/billing/", StringComparison.Ordinal))
            {
                most = Math.Max(most, Interlocked.Increment(ref open));
                await hang.Task;
                Interlocked.Decrement(ref open);
            }
        };
        _store.Lost = true;

        await OrderAsync(new() { Everything = true });
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(_broker.Issuer.Alive.Count == damaged.Length),
            "the damaged one of another backend is killed, and the one that is well"
        );
        Assert.DoesNotContain(behind.VaultLeaseId!, _broker.Issuer.Alive.Keys);
        Assert.DoesNotContain(well.VaultLeaseId!, _broker.Issuer.Alive.Keys);

        hang.SetResult();
        await Eventually.BecomesTrueAsync(() => Task.FromResult(_broker.Issuer.Alive.IsEmpty), "all are killed");
        Assert.InRange(most, 1, _broker.Options.RevocationParallelism);
    }

    [Fact]
    public async Task A_quarantine_is_not_lost_where_as_many_holds_are_in_force_as_there_may_be()
    {
        for (var i = 0; i < Hold.MaxInForce; i++)
        {
            Assert.NotNull(await PlaceAsync(new() { Agent = $"agent-{i}" }));
        }

        _store.Lost = true;
        var placed = await _broker.Holds.QuarantineAsync(
            new() { Agent = "triage" },
            null,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.True(placed.Passes(out var hold, out _));

        _store.Lost = false;
        await _broker.Unrecorded.RecordAsync(CancellationToken.None);

        Assert.False(_broker.Missing.Any);
        Assert.Equal(hold.Id, (await _broker.Holds.ListAsync(CancellationToken.None))[0].Id);
        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        // The bound is for all others as it was.
        Assert.Null(await PlaceAsync(new() { Agent = "one-more" }));
    }

    [Fact]
    public async Task A_hold_that_the_store_does_not_take_holds_at_once_is_listed_and_is_recorded_later()
    {
        _store.Lost = true;
        var hold = Assert.IsType<Hold>(await PlaceAsync(new() { Agent = "triage" }));

        Assert.True(_broker.Holds.IsRecordMissing(hold));
        Assert.Equal([hold], await _broker.Holds.ListAsync(CancellationToken.None));
        _store.Lost = false;
        Assert.Equal(RefusalCode.RevokesOnly, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(RefusalCode.StoreUnavailable, (await LiftAsync(hold))?.Code);
        Assert.Null(await _broker.Revocations.FindAsync(hold.Id, CancellationToken.None));

        await _broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.False(_broker.Holds.IsRecordMissing(hold));
        Assert.Equal([hold], await _broker.Holds.ListAsync(CancellationToken.None));
        Assert.Single(await _broker.EventsAsync(HoldPlaced.TypeName));
        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Null(await LiftAsync(hold));
        await _broker.IssueAsync();
    }

    [Fact]
    public async Task A_hold_of_unknown_outcome_is_recorded_and_listed_once()
    {
        _store.LosesReply = true;
        var hold = Assert.IsType<Hold>(await PlaceAsync(new() { Agent = "triage" }));
        Assert.Equal([hold], await _broker.Holds.ListAsync(CancellationToken.None));
        _store.LosesReply = false;
        await _broker.Unrecorded.RecordAsync(CancellationToken.None);

        Assert.Single(await _broker.EventsAsync(HoldPlaced.TypeName));
        Assert.False(_broker.Missing.Any);
    }

    [Fact]
    public async Task A_hold_without_its_record_reaches_what_is_under_way()
    {
        _broker.Issuer.AfterMint = async (_, minted) =>
        {
            await PlaceUnrecordedAsync();
            return minted;
        };

        Assert.Equal(RefusalCode.RevokesOnly, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_hold_without_its_record_reaches_what_is_on_record_and_not_delivered_yet()
    {
        _store.OnTaken = change => change is StateChange.LeaseActivated ? PlaceUnrecordedAsync() : Task.CompletedTask;

        Assert.Equal(RefusalCode.RevokesOnly, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hold_without_its_record_reaches_a_renewal_that_is_under_way(bool isOnRecord)
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2)));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        if (isOnRecord)
        {
            _store.OnTaken = change =>
                change is StateChange.LeaseRenewed { Event.What: LeaseRenewed }
                    ? PlaceUnrecordedAsync()
                    : Task.CompletedTask;
        }
        else
        {
            _broker.Issuer.OnRenew = PlaceUnrecordedAsync;
        }

        var outcome = await _broker.Agents.RenewAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            TimeSpan.FromMinutes(5),
            BrokerHarness.Call,
            CancellationToken.None
        );

        Assert.Equal(RefusalCode.RevokesOnly, Assert.IsType<LeaseOutcome.Refused>(outcome).Refusal.Code);
        var after = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Active, lease.ExpiresAt), (after.State, after.ExpiresAt));

        // Vault has extended it: it is revoked at the end that was promised.
        _broker.Time.Advance(TimeSpan.FromMinutes(1) + TimeSpan.FromMilliseconds(1));
        await _broker.ExpireAsync();
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_record_that_the_store_refuses_keeps_no_other_waiting()
    {
        _store.Lost = true;
        var refused = await OrderAsync(new() { Agent = "triage" });
        var taken = await OrderAsync(new() { Agent = "helper" });
        await _broker.ExecuteAsync(
            $"CREATE TRIGGER refuse BEFORE INSERT ON revocation_order WHEN NEW.id = '{refused.Id}' BEGIN SELECT raise(ABORT, 'no'); END"
        );

        _store.Lost = false;
        await _broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.NotNull(_broker.Missing.Find(refused.Id));
        Assert.Null(_broker.Missing.Find(taken.Id));
        Assert.NotNull(await _broker.Store.Revocations.FindAsync(taken.Id, CancellationToken.None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_order_for_which_there_is_no_room_kills_all_the_same_and_says_that_it_is_not_kept(bool isHeld)
    {
        await _broker.IssueAsync();
        var other = await _broker.IssueAsync(BrokerHarness.Command(credential: "other"));
        _store.Lost = true;
        while (_broker.Missing.All.Count < 100)
        {
            await OrderAsync(new() { Agent = $"agent-{_broker.Missing.All.Count}" });
        }

        _broker.Issuer.BackendDown = true;
        var said = await Assert.ThrowsAsync<OrderNotKeptException>(OrderOneMoreAsync);
        Assert.Equal((0, false), (said.Dead, said.AreGone));
        _broker.Issuer.BackendDown = false;
        said = await Assert.ThrowsAsync<OrderNotKeptException>(OrderOneMoreAsync);

        Assert.Equal((1, true), (said.Dead, said.AreGone));
        Assert.Equal([other.VaultLeaseId!], _broker.Issuer.Alive.Keys);
        Assert.Equal(100, _broker.Missing.All.Count);

        // Those that were kept are put on record, and of the other one only what it did is left.
        _store.Lost = false;
        await _broker.Unrecorded.RecordAsync(CancellationToken.None);
        Assert.False(_broker.Missing.Any);
        Assert.Equal(100, (await _broker.EventsAsync(RevocationOrdered.TypeName)).Count);

        async Task OrderOneMoreAsync()
        {
            if (isHeld)
            {
                await _broker.Holds.QuarantineAsync(
                    new() { Credential = "billing" },
                    null,
                    "incident",
                    BrokerHarness.Admin,
                    BrokerHarness.Call,
                    CancellationToken.None
                );
            }
            else
            {
                await OrderAsync(new() { Credential = "billing" });
            }
        }
    }

    private ValueTask<RevocationOrder> OrderAsync(LeaseSelector selector) =>
        _broker.Revocations.OrderAsync(
            selector,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    /// <summary>The hold; null where there are too many.</summary>
    private async Task<Hold?> PlaceAsync(LeaseSelector selector)
    {
        var placed = await _broker.Holds.PlaceAsync(
            selector,
            null,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        return placed.Passes(out var hold, out _) ? hold : null;
    }

    private async Task PlaceUnrecordedAsync()
    {
        _store.Lost = true;
        Assert.NotNull(await PlaceAsync(new() { Agent = "triage" }));
        _store.Lost = false;
    }

    /// <summary>Why it is not lifted.</summary>
    private async Task<Refusal?> LiftAsync(Hold hold)
    {
        var lifted = await _broker.Holds.LiftAsync(
            hold.Id,
            "over",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        return lifted.Passes(out _, out var refusal) ? null : refusal;
    }
}
