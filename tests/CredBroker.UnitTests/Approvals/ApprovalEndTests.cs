using CredBroker.Core.Audit.Events;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>What ends an approval and what it gave: time, policy, a hold, a revocation, a closed task.</summary>
public sealed class ApprovalEndTests : ApprovalTestBase
{
    [Fact]
    public async Task After_its_time_it_is_neither_approved_nor_redeemed()
    {
        var (pending, approved) = (await AskAsync(), await AskAsync(BrokerHarness.Command(task: "t-2")));
        await AgreeAsync(Ann, approved);
        _broker.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(RefusalCode.ApprovalOver, (await AgreeRefusedAsync(Ann, pending)).Code);
        Assert.Equal(
            RefusalCode.ApprovalExpired,
            (await RedeemRefusedAsync(approved, BrokerHarness.Command(task: "t-2"))).Code
        );
        Assert.Equal(ApprovalState.Expired, (await StatusAsync(approved)).State);

        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(2, (await _broker.EventsAsync(ApprovalExpired.TypeName)).Count);
        Assert.NotEqual(pending.Id, (await AskAsync()).Id);
    }

    [Fact]
    public async Task What_was_closed_long_ago_leaves_the_store_whether_or_not_policy_changes()
    {
        var asked = await AskAsync();
        await _broker.People.DenyAsync(Ann, asked.Id, "no", BrokerHarness.Call, default);
        await _broker.ApprovalSweep.RunAsync(default);
        _broker.Time.Advance(TimeSpan.FromDays(29));
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.NotNull(await _broker.Store.Approvals.FindAsync(asked.Id, default));
        _broker.Time.Advance(TimeSpan.FromDays(2));
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Null(await _broker.Store.Approvals.FindAsync(asked.Id, default));
    }

    [Fact]
    public async Task What_is_more_than_goes_at_once_goes_with_the_next_pass()
    {
        await _broker.ApprovalSweep.RunAsync(default);
        await _broker.ExecuteAsync(
            """
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
            INSERT INTO activity (instance, slot, credential, issued, denied, challenged) SELECT i, 0, 'x', 1, 0, 0 FROM n
            """
        );
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(1, await LeftAsync());
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(0, await LeftAsync());

        Task<int> LeftAsync() => _broker.ExecuteAsync("UPDATE activity SET issued = issued");
    }

    [Fact]
    public async Task A_policy_that_denies_now_is_obeyed()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        Assert.Equal(RefusalCode.NoRuleAllows, (await RedeemRefusedAsync(asked)).Code);
    }

    [Fact]
    public async Task A_new_version_that_asks_the_same_voids_nothing()
    {
        var (pending, approved) = (await AskAsync(), await AskAsync(BrokerHarness.Command(task: "t-2")));
        await AgreeAsync(Ann, approved);
        await _broker.ApplyAsync("# a comment\n" + Challenging(OneLead));
        await _broker.ApprovalSweep.RunAsync(default);
        await AgreeAsync(Ann, pending);
        await RedeemAsync(pending);
        await RedeemAsync(approved, BrokerHarness.Command(task: "t-2"));
    }

    [Fact]
    public async Task A_hold_between_approval_and_redemption_refuses_and_uses_nothing_up()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        var (selector, admin, call) = (new LeaseSelector { Instance = "1" }, BrokerHarness.Admin, BrokerHarness.Call);
        (await _broker.Holds.PlaceAsync(selector, null, "look", admin, call, default)).Passes(out var hold, out _);
        Assert.Equal(RefusalCode.Held, (await RedeemRefusedAsync(asked)).Code);
        await _broker.Holds.LiftAsync(hold!.Id, "over", admin, call, default);
        await RedeemAsync(asked);
    }

    [Fact]
    public async Task A_revocation_takes_back_what_was_asked_before_it()
    {
        var (pending, approved) = (await AskAsync(), await AskAsync(BrokerHarness.Command(task: "t-2")));
        await AgreeAsync(Ann, approved);
        await _broker.Revocations.OrderAsync(
            new() { Instance = "1" },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.Equal(
            RefusalCode.RevokedMeanwhile,
            (await RedeemRefusedAsync(approved, BrokerHarness.Command(task: "t-2"))).Code
        );
        Assert.Equal(RefusalCode.RevokedMeanwhile, (await AgreeRefusedAsync(Ann, pending)).Code);
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(2, (await _broker.EventsAsync(ApprovalVoided.TypeName)).Count);
        Assert.NotEqual(pending.Id, (await AskAsync()).Id);
    }

    [Fact]
    public async Task A_closed_task_takes_back_what_was_asked_for_it()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        Assert.Null(
            await _broker.Tasks.CloseAsync(
                BrokerHarness.Command().Proof,
                "invoice-triage",
                "t-1",
                BrokerHarness.Call,
                default
            )
        );
        Assert.Equal(RefusalCode.TaskClosed, (await RedeemRefusedAsync(asked)).Code);
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Voided, (await FindAsync(asked.Id)).State);
    }

    [Fact]
    public async Task An_approved_secret_lives_as_long_as_was_approved_and_is_not_renewed()
    {
        var command = BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2));
        var asked = await AskAsync(command);
        _broker.Time.Advance(TimeSpan.FromMinutes(20));
        await AgreeAsync(Ann, asked);
        var lease = await RedeemAsync(asked, command);
        Assert.Equal(TimeSpan.FromMinutes(2), lease.ExpiresAt - lease.ActivatedAt);
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        var renewal = await _broker.Agents.RenewAsync(
            command.Proof,
            lease.Id,
            TimeSpan.FromMinutes(2),
            BrokerHarness.Call,
            default
        );
        Assert.Equal(RefusalCode.NotRenewable, Assert.IsType<Core.Leases.LeaseOutcome.Refused>(renewal).Refusal.Code);
    }

    [Fact]
    public async Task An_approved_secret_stays_only_while_policy_would_ask_the_same()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        var lease = await RedeemAsync(asked);
        await _broker.ApplyAsync("# a comment\n" + Challenging(OneLead));
        await _broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);

        await ChallengeAsync(TwoLeads);
        await _broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Revoking, (await _broker.LeaseAsync(lease.Id)).State);
    }
}
