using CredBroker.Core.Approvals;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Approvals;

/// <summary>A challenge, what people say to it, and what it is good for: one secret, for exactly what they saw.</summary>
public sealed class ApprovalTests : IAsyncLifetime
{
    private const string TwoLeads = """{ approvers: ["group:leads"], quorum: 2, expiresAfter: 30m }""";
    private const string OneLead = """{ approvers: ["group:leads"], expiresAfter: 30m }""";
    private static readonly Person Ann = Human("ann", "leads");
    private static readonly Person Bob = Human("bob", "leads");
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await ChallengeAsync(OneLead);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

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
    public async Task A_denial_tells_the_agent_why()
    {
        var asked = await AskAsync();
        var said = await _broker.People.DenyAsync(Ann, asked.Id, "not on a Friday", BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out _));
        var status = await StatusAsync(asked);
        Assert.Equal((ApprovalState.Denied, "not on a Friday"), (status.State, status.Approval.Reason));
        var refusal = await RedeemRefusedAsync(asked);
        Assert.Equal(RefusalCode.ApprovalDenied, refusal.Code);
        Assert.Contains("not on a Friday", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(RefusalCode.ApprovalOver, (await AgreeRefusedAsync(Bob, asked)).Code);
    }

    [Fact]
    public async Task Two_have_to_agree_where_the_rule_says_two_and_one_person_is_one()
    {
        await ChallengeAsync(TwoLeads);
        var asked = await AskAsync();
        Assert.Equal(ApprovalState.Pending, (await AgreeAsync(Ann, asked)).State);
        Assert.Equal(ApprovalState.Pending, (await AgreeAsync(Ann, asked)).State);
        // Another token of the same person.
        Assert.Equal(ApprovalState.Pending, (await AgreeAsync(Ann with { ProofHash = "other" }, asked)).State);
        Assert.Equal(RefusalCode.ApprovalPending, (await RedeemRefusedAsync(asked)).Code);
        Assert.Equal(ApprovalState.Approved, (await AgreeAsync(Bob, asked)).State);
        await RedeemAsync(asked);
    }

    [Fact]
    public async Task Two_who_agree_at_once_make_a_quorum()
    {
        await ChallengeAsync(TwoLeads);
        for (var round = 0; round < 10; round++)
        {
            var command = BrokerHarness.Command(task: $"t-{round}");
            var asked = await AskAsync(command);
            await Task.WhenAll(Task.Run(() => AgreeAsync(Ann, asked)), Task.Run(() => AgreeAsync(Bob, asked)));
            Assert.Equal(ApprovalState.Approved, (await FindAsync(asked.Id)).State);
            await RedeemAsync(asked, command);
        }
    }

    [Fact]
    public async Task Who_is_not_named_sees_nothing()
    {
        var asked = await AskAsync();
        foreach (
            var other in (Person[])
                [Human("eve", "interns"), Human("eve") with { Roles = new HashSet<PersonRole> { PersonRole.Admin } }]
        )
        {
            Assert.Empty(await _broker.People.ListAsync(other, default));
            Assert.Equal(RefusalCode.ApprovalNotFound, (await AgreeRefusedAsync(other, asked)).Code);
        }

        Assert.Equal([asked.Id], (await _broker.People.ListAsync(Ann, default)).Select(open => open.Id));
    }

    [Fact]
    public async Task Nobody_approves_what_they_asked_for_whatever_token_they_come_by()
    {
        var asked = await AskAsync();
        var identity = asked.Decision.Identity;
        var self = Human(identity.Subject, "leads") with { Issuer = identity.Issuer };
        Assert.Empty(await _broker.People.ListAsync(self, default));
        Assert.Equal(RefusalCode.SelfApproval, (await AgreeRefusedAsync(self, asked)).Code);
        // The same subject of another issuer is another person.
        Assert.Equal(
            ApprovalState.Approved,
            (await AgreeAsync(self with { Issuer = "https://people.example" }, asked)).State
        );
    }

    [Fact]
    public async Task The_owner_does_not_approve_where_the_rule_says_so()
    {
        await ChallengeAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, notOwner: true }""");
        var asked = await AskAsync();
        Assert.Equal(RefusalCode.SelfApproval, (await AgreeRefusedAsync(Human("owner-1", "leads"), asked)).Code);
        await AgreeAsync(Ann, asked);
    }

    [Fact]
    public async Task Another_digest_is_not_agreed_to()
    {
        var asked = await AskAsync();
        Assert.Equal(
            RefusalCode.DigestDiffers,
            (await AgreeRefusedAsync(Ann, asked with { Digest = new('0', 64) })).Code
        );
        Assert.Equal(ApprovalState.Pending, (await FindAsync(asked.Id)).State);
    }

    [Fact]
    public async Task A_changed_entry_is_not_what_was_approved()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        await _broker.ApplyAsync(
            Challenging(OneLead).Replace("cb-test-billing", "cb-test-other", StringComparison.Ordinal)
        );
        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked)).Code);
        await _broker.ApprovalSweep.RunAsync(default);
        var voided = await FindAsync(asked.Id);
        Assert.Equal((ApprovalState.Voided, "policy-change"), (voided.State, voided.Reason));
        Assert.Equal(RefusalCode.ApprovalVoided, (await RedeemRefusedAsync(asked)).Code);
        Assert.Single(await _broker.EventsAsync(ApprovalVoided.TypeName));
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

    private static Person Human(string subject, params string[] groups) =>
        new()
        {
            Issuer = "https://people.example",
            Subject = subject,
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = groups,
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };

    private static string Challenging(string approval) =>
        HarnessPolicy
            .Text()
            .Replace("effect: allow", $"effect: challenge\n    approval: {approval}", StringComparison.Ordinal);

    private Task ChallengeAsync(string approval) => _broker.ApplyAsync(Challenging(approval));

    private async Task<Approval> AskAsync(ExchangeCommand? command = null) =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(command ?? BrokerHarness.Command()))
            .Approval;

    private static ExchangeCommand Redemption(Approval asked, ExchangeCommand? command = null) =>
        (command ?? BrokerHarness.Command()) with
        {
            ApprovalId = asked.Id,
        };

    private Task<Lease> RedeemAsync(Approval asked, ExchangeCommand? command = null) =>
        _broker.IssueAsync(Redemption(asked, command));

    private Task<Refusal> RedeemRefusedAsync(Approval asked, ExchangeCommand? command = null) =>
        _broker.RefusedAsync(Redemption(asked, command));

    private async Task<Approval> AgreeAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out var approval, out var refusal), refusal?.Detail);
        return approval;
    }

    private async Task<Refusal> AgreeRefusedAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.False(said.Passes(out _, out var refusal));
        return refusal;
    }

    private async Task<Approval> FindAsync(string id) =>
        Assert.IsType<Approval>(await _broker.Store.Approvals.FindAsync(id, default));

    private async Task<ApprovalStatus> StatusAsync(Approval asked)
    {
        var proof = FakeWorkloadVerifier.Token(asked.Decision.Identity.Workload, asked.Decision.Identity.Instance);
        var found = await _broker.Approvals.FindAsync(proof, asked.Id, default, BrokerHarness.Call, default);
        Assert.True(found.Passes(out var status, out var refusal), refusal?.Detail);
        return status;
    }
}
