using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Approvals;

/// <summary>A challenge and what it is good for: one secret, for exactly what people saw, by who asked.</summary>
public sealed class ApprovalRedemptionTests : ApprovalTestBase
{
    [Fact]
    public async Task What_people_agree_to_is_issued_once()
    {
        var asked = await AskAsync();
        Assert.Empty(await _broker.LeasesAsync());
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Equal(RefusalCode.ApprovalPending, (await RedeemRefusedAsync(asked)).Code);

        await AgreeAsync(Ann, asked);
        var lease = await RedeemAsync(asked);

        Assert.Equal((asked.Id, asked.Digest), (lease.Decision.Approval?.Id, lease.Decision.Approval?.Digest));
        var redeemed = await FindAsync(asked.Id);
        Assert.Equal((ApprovalState.Redeemed, lease.Id), (redeemed.State, redeemed.LeaseId));
        Assert.Equal(RefusalCode.ApprovalUsed, (await RedeemRefusedAsync(asked)).Code);
        Assert.Single(await _broker.LeasesAsync());
        foreach (
            var type in (string[])
                [
                    ApprovalRequested.TypeName,
                    ApprovalAgreed.TypeName,
                    ApprovalRedeemed.TypeName,
                    RequestAllowed.TypeName,
                ]
        )
        {
            Assert.Single(await _broker.EventsAsync(type));
        }
    }

    [Fact]
    public async Task A_challenge_is_on_record_as_a_denial_that_says_everything()
    {
        await AskAsync();
        var denied = Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName));
        Assert.Equal("challenge", denied.GetProperty("facts").GetProperty("effect").GetString());
        Assert.Equal("CB2008", denied.GetProperty("reason").GetString());
        Assert.Equal(
            "needs-approval",
            denied
                .GetProperty("details")
                .GetProperty("decision")
                .GetProperty("obligations")[0]
                .GetProperty("kind")
                .GetString()
        );
    }

    [Fact]
    public async Task The_same_request_is_not_asked_twice()
    {
        var first = await AskAsync();
        Assert.Equal(first.Id, (await AskAsync()).Id);
        await AgreeAsync(Ann, first);
        Assert.Equal(first.Id, (await AskAsync()).Id);
        Assert.Single(await _broker.EventsAsync(ApprovalRequested.TypeName));
        Assert.NotEqual(first.Id, (await AskAsync(BrokerHarness.Command(task: "t-2"))).Id);
        Assert.NotEqual(first.Id, (await AskAsync(BrokerHarness.Command(instance: "2", task: "t-3"))).Id);
    }

    [Fact]
    public async Task Before_a_person_is_asked_the_broker_asks_itself()
    {
        _broker.Issuer.Refuses = new(RefusalCode.VaultMissing, "no such role");
        Assert.Equal(RefusalCode.VaultMissing, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        _broker.Issuer.Refuses = null;

        var held = await _broker.Holds.PlaceAsync(
            new() { Agent = "triage" },
            TimeSpan.FromMinutes(5),
            "look",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.True(held.Passes(out _, out _));
        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(await _broker.Store.Approvals.ListOpenAsync(default));
        Assert.Empty(await _broker.EventsAsync(ApprovalRequested.TypeName));
    }

    [Fact]
    public async Task Another_body_is_not_what_was_approved()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        var command = BrokerHarness.Command();
        ExchangeCommand[] swapped =
        [
            command with
            {
                Task = command.Task with { Purpose = "something else" },
            },
            command with
            {
                Task = command.Task with { Id = "t-2" },
            },
            command with
            {
                Request = command.Request with { Resource = "another" },
            },
            command with
            {
                Request = command.Request with { Credential = "api-key" },
            },
            command with
            {
                Request = command.Request with { Ttl = TimeSpan.FromMinutes(1) },
            },
            command with
            {
                Request = command.Request with { ToolCall = new("pay", System.Text.Json.JsonElement.Parse("{}")) },
            },
        ];
        foreach (var other in swapped)
        {
            Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked, other)).Code);
        }

        await RedeemAsync(asked);
    }

    [Fact]
    public async Task Nobody_else_redeems_or_sees_it()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        foreach (var (workload, instance) in ((string, string)[])[("triage", "2"), ("helper", "1")])
        {
            var other = BrokerHarness.Command(workload, instance);
            Assert.Equal(RefusalCode.ApprovalNotFound, (await RedeemRefusedAsync(asked, other)).Code);
            var seen = await _broker.Approvals.FindAsync(other.Proof, asked.Id, default, BrokerHarness.Call, default);
            Assert.False(seen.Passes(out _, out var refusal));
            Assert.Equal(RefusalCode.ApprovalNotFound, refusal.Code);
        }

        Assert.Equal(
            RefusalCode.ApprovalNotFound,
            (await RedeemRefusedAsync(asked with { Id = Approval.NewId() })).Code
        );
        await RedeemAsync(asked);
    }

    [Fact]
    public async Task Of_many_redemptions_at_once_one_gets_the_secret()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => _broker.ExchangeAsync(Redemption(asked)).AsTask())
        );
        Assert.Single(outcomes.OfType<ExchangeOutcome.Issued>());
        Assert.All(
            outcomes.OfType<ExchangeOutcome.Refused>(),
            refused => Assert.Equal(RefusalCode.ApprovalUsed, refused.Refusal.Code)
        );
        Assert.Single(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_lost_reply_gives_no_second_secret()
    {
        var asked = await AskAsync(BrokerHarness.Command(key: "k-1"));
        await AgreeAsync(Ann, asked);
        var lease = await RedeemAsync(asked, BrokerHarness.Command(key: "k-1"));
        Assert.Equal(
            RefusalCode.ApprovalUsed,
            (await RedeemRefusedAsync(asked, BrokerHarness.Command(key: "k-1"))).Code
        );
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_secret_that_could_not_be_made_uses_the_approval_up()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        _broker.Issuer.AfterMint = (_, _) =>
            Task.FromResult<MintOutcome>(new MintOutcome.Refused(new(RefusalCode.MintFailed, "no")));
        Assert.Equal(RefusalCode.MintFailed, (await RedeemRefusedAsync(asked)).Code);
        _broker.Issuer.AfterMint = null;
        Assert.Equal(RefusalCode.ApprovalUsed, (await RedeemRefusedAsync(asked)).Code);
    }

    [Fact]
    public async Task Only_the_executor_redeems_what_is_left_to_it()
    {
        await ChallengeAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, executor: helper }""");
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        Assert.Equal(RefusalCode.ExecutorOnly, (await RedeemRefusedAsync(asked)).Code);

        var executor = BrokerHarness.Command("helper");
        var lease = await RedeemAsync(asked, executor);
        Assert.Equal(
            ("helper", "helper", "triage"),
            (
                lease.Decision.Identity.Workload,
                lease.Decision.Verdict.Agent,
                lease.Decision.Approval?.PreparedBy?.Workload
            )
        );
        Assert.Equal(ApprovalState.Redeemed, (await StatusAsync(asked)).State);
        var allowed = Assert.Single(await _broker.EventsAsync(RequestAllowed.TypeName));
        Assert.Equal(
            (asked.Id, "triage"),
            (
                allowed.GetProperty("details").GetProperty("approval").GetProperty("id").GetString(),
                allowed
                    .GetProperty("details")
                    .GetProperty("approval")
                    .GetProperty("preparedBy")
                    .GetProperty("workload")
                    .GetString()
            )
        );
    }

    [Fact]
    public async Task What_policy_denies_the_one_that_asked_is_no_denial_of_the_executors()
    {
        await ChallengeAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, executor: helper }""");
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);

        // The preparer has handed over another body, which no rule allows it.
        var executor = BrokerHarness.Command("helper");
        var other = executor with { Request = executor.Request with { Credential = "payments" } };

        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked, other)).Code);
    }

    [Fact]
    public async Task A_look_waits_until_somebody_has_decided()
    {
        var asked = await AskAsync();
        var waiting = _broker.Approvals.FindAsync(
            BrokerHarness.Command().Proof,
            asked.Id,
            TimeSpan.FromSeconds(30),
            BrokerHarness.Call,
            default
        );
        Assert.False(waiting.IsCompleted);
        // One looks at a time: who does not wait for the first is told to slow down.
        Assert.True((await StatusAsync(asked)).IsTooSoon);
        await AgreeAsync(Ann, asked);
        Assert.True((await waiting.AsTask().WaitAsync(Patience.Limit)).Passes(out var status, out _));
        Assert.Equal(ApprovalState.Approved, status.State);
    }

    [Fact]
    public async Task Who_looks_too_often_is_told_to_wait_longer()
    {
        var asked = await AskAsync();
        Assert.False((await StatusAsync(asked)).IsTooSoon);
        _broker.Time.Advance(TimeSpan.FromSeconds(1));
        var second = await StatusAsync(asked);
        Assert.Equal((true, TimeSpan.FromSeconds(10)), (second.IsTooSoon, second.Interval));
        _broker.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(15), (await StatusAsync(asked)).Interval);
        _broker.Time.Advance(TimeSpan.FromSeconds(15));
        var patient = await StatusAsync(asked);
        Assert.Equal((false, TimeSpan.FromSeconds(15)), (patient.IsTooSoon, patient.Interval));
    }
}
