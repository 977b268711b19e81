using System.Text.Json;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>
/// Attempts to get more out of a time box than people gave. Each is a new question, as if there were none, and nothing is
/// issued.
/// </summary>
public sealed class TimeBoxAttackTests : IAsyncLifetime
{
    private TimeBoxDesk _desk = null!;

    private BrokerHarness Broker => _desk.Broker;

    private static readonly Dictionary<string, Func<ExchangeCommand, ExchangeCommand>> Widened = new()
    {
        { "another action", With(request => request with { Actions = ["count"] }) },
        { "one more action", With(request => request with { Actions = ["read", "summarise", "count"] }) },
        { "a longer life", With(request => request with { Ttl = TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1) }) },
        { "the longest life", With(request => request with { Ttl = null }) },
        { "another resource", With(request => request with { Resource = "another" }) },
        { "another credential", With(request => request with { Credential = "api-key", Actions = ["read"] }) },
        { "a tool call", With(request => request with { ToolCall = new("pay", Arguments("""{"to":"DE1"}""")) }) },
        { "another task", command => command with { Task = command.Task with { Id = "t-2" } } },
        { "another instance", command => command with { Proof = FakeWorkloadVerifier.Token("triage", "2") } },
    };

    public static TheoryData<string> Widenings => [.. Widened.Keys];

    public async ValueTask InitializeAsync() => _desk = await TimeBoxDesk.StartAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Theory]
    [MemberData(nameof(Widenings))]
    public async Task What_is_more_than_people_gave_is_a_new_question(string what)
    {
        var (approval, _) = await _desk.OpenAsync();
        var wider = Widened[what](TimeBoxDesk.Command());
        await AssertAskedAsync(approval, wider);
        // By the reference it is used up.
        Assert.Contains(
            (await Broker.RefusedAsync(wider with { ApprovalId = approval.Id })).Code,
            (RefusalCode[])[RefusalCode.ApprovalUsed, RefusalCode.ApprovalNotFound]
        );
        Assert.Equal(1, (await _desk.FindAsync(approval)).Uses);
        // And it is still good for what it was given for.
        await Broker.IssueAsync(TimeBoxDesk.Command());
    }

    [Fact]
    public async Task Other_arguments_of_the_same_tool_are_a_new_question()
    {
        var paid = With(request => request with { ToolCall = new("pay", Arguments("""{"to":"DE1","amount":1}""")) });
        var (approval, _) = await _desk.OpenAsync(command: paid(TimeBoxDesk.Command()));
        // The same in other words is the same.
        await Broker.IssueAsync(
            With(request => request with { ToolCall = new("pay", Arguments("""{"amount":1.0,"to":"DE1"}""")) })(
                TimeBoxDesk.Command()
            )
        );
        foreach (var other in (string[])["""{"to":"DE2","amount":1}""", """{"to":"DE1","amount":2}""", "{}"])
        {
            await AssertAskedAsync(
                approval,
                With(request => request with { ToolCall = new("pay", Arguments(other)) })(TimeBoxDesk.Command()),
                leases: 2
            );
        }
    }

    [Theory]
    [InlineData("role: cb-test-billing", "role: cb-test-other")]
    [InlineData("maxTtl: 10m", "maxTtl: 9m")]
    [InlineData("\"group:leads\"]", "\"group:others\"]")]
    [InlineData("\"group:leads\"]", "\"group:leads\"], quorum: 2")]
    [InlineData("timeBox: 1h", "timeBox: 2h")]
    [InlineData("expiresAfter: 30m, timeBox: 1h", "expiresAfter: 30m")]
    [InlineData("id: triage-reads", "id: triage-looks")]
    [InlineData("toleratesRuntimeAction: true", "toleratesRuntimeAction: false")]
    [InlineData("subject: \"owner-1\"", "subject: \"owner-2\"")]
    public async Task What_resolves_to_something_else_is_a_new_question_and_ends_it(string old, string changed)
    {
        var (approval, _) = await _desk.OpenAsync();
        var policy = TimeBoxDesk.Policy();
        Assert.Contains(old, policy, StringComparison.Ordinal);
        await Broker.ApplyAsync(policy.Replace(old, changed, StringComparison.Ordinal));
        await AssertAskedAsync(approval, TimeBoxDesk.Command());

        await Broker.TimeBoxSweep.RunAsync(default);
        Assert.Equal("policy-change", (await _desk.FindAsync(approval)).Cause);
        // Going back to what it was brings none back.
        await Broker.ApplyAsync(TimeBoxDesk.Policy(comment: "again"));
        await AssertAskedAsync(approval, TimeBoxDesk.Command());
    }

    [Fact]
    public async Task An_owner_who_is_gone_ends_it()
    {
        var (approval, _) = await _desk.OpenAsync();
        var gone = await Broker.Owners.RetireAsync(
            "https://people.example",
            "owner-1",
            "left",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.True(gone.Passes(out _, out _));
        await Broker.Policy.RefreshAsync(default);
        await AssertAskedAsync(approval, TimeBoxDesk.Command());
        await Broker.TimeBoxSweep.RunAsync(default);
        Assert.Equal("policy-change", (await _desk.FindAsync(approval)).Cause);
    }

    [Fact]
    public async Task A_hold_ends_it_for_good_however_soon_it_is_lifted()
    {
        var (approval, _) = await _desk.OpenAsync();
        var (admin, call) = (BrokerHarness.Admin, BrokerHarness.Call);
        var placed = await Broker.Holds.PlaceAsync(new() { Instance = "1" }, null, "look", admin, call, default);
        Assert.True(placed.Passes(out var hold, out _));
        Assert.Equal(RefusalCode.Held, (await Broker.RefusedAsync(TimeBoxDesk.Command())).Code);
        await Broker.Holds.LiftAsync(hold.Id, "over", admin, call, default);
        await EndedAsync(approval, "held");
    }

    [Theory]
    [InlineData("instance")]
    [InlineData("credential")]
    [InlineData("first lease")]
    [InlineData("later lease")]
    public async Task An_order_ends_it_also_one_about_a_lease_of_it(string what)
    {
        var (approval, first) = await _desk.OpenAsync();
        var later = await Broker.IssueAsync(TimeBoxDesk.Command());
        LeaseSelector selector = what switch
        {
            "instance" => new() { Instance = "1" },
            "credential" => new() { Credential = "billing" },
            "first lease" => new() { Lease = first.Id },
            _ => new() { Lease = later.Id },
        };
        await OrderAsync(selector);
        await EndedAsync(approval, "revoked", leases: 2);
    }

    [Fact]
    public async Task An_order_about_somebody_else_leaves_it()
    {
        var (approval, _) = await _desk.OpenAsync();
        await OrderAsync(new() { Instance = "2" });
        await OrderAsync(new() { Instance = "1", Credential = "api-key" });
        await OrderAsync(new() { Lease = "0123456789abcdef0123456789abcdef" });
        Assert.Null((await _desk.FindAsync(approval)).EndedAt);
        await Broker.IssueAsync(TimeBoxDesk.Command());
    }

    [Theory]
    [InlineData("triage")]
    [InlineData("helper")]
    public async Task Of_one_that_is_left_to_an_executor_an_order_about_either_ends_it(string workload)
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h, executor: helper }""");
        var executor = TimeBoxDesk.Command("helper");
        var (approval, _) = await _desk.OpenAsync(redeemer: executor);
        await OrderAsync(new() { Workload = workload });
        Assert.Equal("revoked", (await _desk.FindAsync(approval)).Cause);
        Assert.Equal(
            RefusalCode.ApprovalUsed,
            (await Broker.RefusedAsync(executor with { ApprovalId = approval.Id })).Code
        );
    }

    [Fact]
    public async Task An_executor_whom_an_order_has_reached_since_it_opened_is_kept_out()
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h, executor: helper }""");
        var (approval, _) = await _desk.OpenAsync(redeemer: TimeBoxDesk.Command("helper"));
        await OrderAsync(new() { Workload = "helper", Instance = "2" });
        Assert.Equal(
            RefusalCode.RevokedMeanwhile,
            (await Broker.RefusedAsync(TimeBoxDesk.Command("helper", "2") with { ApprovalId = approval.Id })).Code
        );
        await Broker.IssueAsync(TimeBoxDesk.Command("helper") with { ApprovalId = approval.Id });
        await Broker.IssueAsync(TimeBoxDesk.Command("helper", "3") with { ApprovalId = approval.Id });
    }

    [Fact]
    public async Task An_executor_whom_an_order_has_reached_before_it_opened_is_kept_out_as_of_the_redemption()
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h, executor: helper }""");
        var asked = await _desk.AskAsync();
        await _desk.AgreeAsync(TimeBoxDesk.Ann, asked, TimeBoxDesk.HalfAnHour);
        await OrderAsync(new() { Workload = "helper", Instance = "2" });
        await Broker.IssueAsync(TimeBoxDesk.Command("helper") with { ApprovalId = asked.Id });

        Assert.Equal(
            RefusalCode.RevokedMeanwhile,
            (await Broker.RefusedAsync(TimeBoxDesk.Command("helper", "2") with { ApprovalId = asked.Id })).Code
        );
        await Broker.IssueAsync(TimeBoxDesk.Command("helper", "3") with { ApprovalId = asked.Id });
    }

    [Fact]
    public async Task Who_is_no_executor_any_more_is_issued_nothing_in_it()
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h, executor: helper }""");
        var executor = TimeBoxDesk.Command("helper");
        var (approval, _) = await _desk.OpenAsync(redeemer: executor);
        await Broker.ApplyAsync(
            TimeBoxDesk
                .Policy("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h, executor: helper }""")
                .Replace("identity.workload == \"helper\"", "identity.workload == \"other\"", StringComparison.Ordinal)
        );
        foreach (var workload in (string[])["helper", "other"])
        {
            Assert.Contains(
                (await Broker.RefusedAsync(TimeBoxDesk.Command(workload) with { ApprovalId = approval.Id })).Code,
                (RefusalCode[])[RefusalCode.ApprovalNotFound, RefusalCode.ApprovalUsed, RefusalCode.ProcessNotAdmitted]
            );
        }

        Assert.Equal(1, (await _desk.FindAsync(approval)).Uses);
    }

    [Fact]
    public async Task A_closed_task_ends_it()
    {
        var (approval, _) = await _desk.OpenAsync();
        Assert.Null(
            await Broker.Tasks.CloseAsync(
                TimeBoxDesk.Command().Proof,
                "invoice-triage",
                "t-1",
                BrokerHarness.Call,
                default
            )
        );
        Assert.Equal("task-closed", (await _desk.FindAsync(approval)).Cause);
        Assert.Equal(RefusalCode.TaskClosed, (await Broker.RefusedAsync(TimeBoxDesk.Command())).Code);
    }

    [Fact]
    public async Task One_that_ends_while_a_request_is_under_way_lets_nothing_be_issued()
    {
        var (approval, _) = await _desk.OpenAsync();
        Broker.Issuer.OnPrepare = async plan =>
        {
            Broker.Issuer.OnPrepare = null;
            var taken = await Broker.TimeBoxes.TakeBackAsync(
                TimeBoxDesk.Ada,
                approval.Id,
                plan.LeaseId,
                leases: false,
                BrokerHarness.Call,
                default
            );
            Assert.True(taken.Passes(out var _, out var refusal), refusal?.Detail);
        };
        await AssertAskedAsync(approval, TimeBoxDesk.Command());
        Assert.Empty(await Broker.EventsAsync(TimeBoxUsed.TypeName));
    }

    [Fact]
    public async Task On_its_last_second_two_at_once_get_no_more_than_it_has_left()
    {
        var (approval, _) = await _desk.OpenAsync();
        var endsAt = (await _desk.FindAsync(approval)).EndsAt;
        Broker.Time.Advance(TimeBoxDesk.HalfAnHour - TimeSpan.FromSeconds(1));
        var both = await Task.WhenAll(
            Broker.ExchangeAsync(TimeBoxDesk.Command()).AsTask(),
            Broker.ExchangeAsync(TimeBoxDesk.Command()).AsTask()
        );
        Assert.All(
            both,
            outcome => Assert.Equal(endsAt, Assert.IsType<ExchangeOutcome.Issued>(outcome).Lease.ExpiresAt)
        );
        Broker.Time.Advance(TimeSpan.FromMilliseconds(1));
        await AssertAskedAsync(approval, TimeBoxDesk.Command(), leases: 3);
    }

    [Fact]
    public async Task So_many_are_issued_in_it_and_no_more()
    {
        var (approval, _) = await _desk.OpenAsync();
        await Broker.ExecuteAsync($"UPDATE time_box SET uses = {TimeBox.MaxUses - 1}");
        await Broker.IssueAsync(TimeBoxDesk.Command());
        await AssertAskedAsync(approval, TimeBoxDesk.Command(), leases: 2);
    }

    [Theory]
    [InlineData("agreements = '[]'")]
    [InlineData("decision = 'x'")]
    [InlineData("state = 'denied'")]
    public async Task A_damaged_approval_lets_nothing_be_issued(string damage)
    {
        var (approval, _) = await _desk.OpenAsync();
        await Broker.ExecuteAsync($"UPDATE approval SET {damage}");
        await AssertAskedAsync(approval, TimeBoxDesk.Command());
    }

    [Fact]
    public async Task A_limit_that_has_people_decide_has_them_decide_on_what_comes_in_it()
    {
        const string Limits = """
            limits:
              - id: two
                per: instance
                maxIssued: { count: 2, per: 1h }
                onBreach: { challenge: { approvers: ["group:leads"], expiresAfter: 30m } }

            """;
        await Broker.ApplyAsync(
            TimeBoxDesk.Policy().Replace("rules:\n", Limits + "rules:\n", StringComparison.Ordinal)
        );
        var (approval, _) = await _desk.OpenAsync();
        await Broker.IssueAsync(TimeBoxDesk.Command());
        var asked = await _desk.AskAsync();
        Assert.NotEqual(approval.Id, asked.Id);
        Assert.Contains(asked.Demands, demand => demand.LimitId == "two");
        Assert.Null(asked.TimeBoxOffered);
    }

    [Fact]
    public async Task A_repaired_clock_ends_all_of_them()
    {
        var (approval, _) = await _desk.OpenAsync();
        await Broker.Store.CommitAsync(
            new StateChange.ClockRepaired
            {
                Event = new()
                {
                    What = new ClockRepaired
                    {
                        From = default,
                        To = default,
                        Reason = "",
                    },
                    Actor = BrokerHarness.Admin,
                },
            },
            default
        );
        await EndedAsync(approval, "clock-repaired");
    }

    private static Func<ExchangeCommand, ExchangeCommand> With(Func<CredentialRequest, CredentialRequest> change) =>
        command => command with { Request = change(command.Request) };

    private static JsonElement Arguments(string json) => JsonElement.Parse(json);

    private ValueTask<RevocationOrder> OrderAsync(LeaseSelector selector) =>
        Broker.Revocations.OrderAsync(selector, "incident", BrokerHarness.Admin, BrokerHarness.Call, default);

    private async Task EndedAsync(Approval approval, string cause, int leases = 1)
    {
        var ended = await _desk.FindAsync(approval);
        Assert.Equal((cause, true), (ended.Cause, ended.EndedAt is not null));
        var told = Assert.Single(await Broker.EventsAsync(TimeBoxEnded.TypeName));
        Assert.Equal(
            (approval.Id, cause),
            (told.GetProperty("details").GetProperty("approval").GetString(), told.GetProperty("reason").GetString())
        );
        await AssertAskedAsync(approval, TimeBoxDesk.Command(), leases);
    }

    /// <summary>People are asked anew, and there are no more leases than there were.</summary>
    private async Task AssertAskedAsync(Approval approval, ExchangeCommand command, int leases = 1)
    {
        Assert.NotEqual(approval.Id, (await _desk.AskAsync(command)).Id);
        Assert.Equal(leases, (await Broker.LeasesAsync()).Count);
    }
}
