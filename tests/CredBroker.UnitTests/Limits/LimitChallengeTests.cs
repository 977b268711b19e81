using CredBroker.Core.Approvals;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Limits;

/// <summary>A limit whose breach people may let pass, for one request at a time, on a real store.</summary>
public sealed class LimitChallengeTests : IAsyncLifetime
{
    private const string ByLeads =
        """per: instance, maxActive: 2, onBreach: { challenge: { approvers: ["group:leads"], expiresAfter: 30m } }""";
    private const string ByOwner = "per: instance, maxActive: 2, onBreach: challenge";

    private static readonly Person Ann = Human("ann", "leads");
    private static readonly Person Owner = Human("owner-1");

    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task People_let_one_request_pass_and_it_counts_like_any_other()
    {
        await LimitAsync(ByLeads);
        var first = await _broker.IssueAsync();
        await _broker.IssueAsync();

        var asked = await AskAsync();
        var demand = Assert.Single(asked.Demands);
        Assert.Equal(("the-limit", ""), (demand.LimitId, demand.RuleId));
        Assert.Equal("limit the-limit: 2 active, per instance", asked.Decision.Verdict.Explanation);
        Assert.Equal(RefusalCode.ApprovalPending, (await RedeemRefusedAsync(asked)).Code);
        // It is asked once, however often the agent asks.
        Assert.Equal(asked.Id, (await AskAsync()).Id);

        await AgreeAsync(Ann, asked);
        var third = await _broker.IssueAsync(Redemption(asked));
        Assert.Equal(3, (await _broker.LeasesAsync(LeaseState.Active)).Count);
        Assert.Equal(RefusalCode.ApprovalUsed, (await RedeemRefusedAsync(asked)).Code);

        // It has taken a place: with one of three over, two are left, and the limit is still full.
        await ReleaseAsync(first);
        Assert.NotEqual(asked.Id, (await AskAsync()).Id);
        await ReleaseAsync(third);
        await _broker.IssueAsync();
        await AskAsync();
    }

    [Fact]
    public async Task The_processs_owner_is_asked_unless_others_are_named_and_nobody_where_there_is_none()
    {
        await LimitAsync(ByOwner);
        await FillAsync();
        var asked = await AskAsync();
        await AgreeRefusedAsync(Ann, asked);
        await AgreeAsync(Owner, asked);
        await _broker.IssueAsync(Redemption(asked));

        await _broker.ApplyAsync(Policy(ByOwner).Replace("    owner: {", "    # owner: {", StringComparison.Ordinal));
        Assert.Equal(RefusalCode.LimitReached, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
    }

    [Fact]
    public async Task What_asks_whom_is_bound_by_the_approval()
    {
        await LimitAsync(ByLeads);
        await FillAsync();
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);

        await LimitAsync(ByOwner);
        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked)).Code);
        await LimitAsync("per: instance, maxActive: 2");
        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked)).Code);

        await LimitAsync(ByLeads.Replace("2", "5", StringComparison.Ordinal));
        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked)).Code);
        await LimitAsync(ByLeads.Replace("instance", "workload", StringComparison.Ordinal));
        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked)).Code);
        await LimitAsync(ByLeads + ", maxIssued: { count: 99, per: 1h }");

        // What else a limit says is no part of the question, nor whether there is room by now.
        await ReleaseAsync((await _broker.LeasesAsync(LeaseState.Active))[0]);
        await _broker.IssueAsync(Redemption(asked));
    }

    [Fact]
    public async Task What_a_limit_asked_stays_asked_while_the_limit_asks_the_same()
    {
        await LimitAsync(ByLeads);
        await FillAsync();
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);

        // A broker that has just started looks at every question, and so does each at a new version.
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Approved, await StateAsync(asked));
        await _broker.ApplyAsync("# another\n" + Policy(ByLeads));
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Approved, await StateAsync(asked));

        await LimitAsync(ByOwner);
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Voided, await StateAsync(asked));
    }

    [Fact]
    public async Task Who_lets_one_bound_of_a_limit_pass_lets_no_other_pass()
    {
        await LimitAsync(ByLeads + ", maxIssued: { count: 4, per: 1h }");
        await FillAsync();
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        foreach (var lease in await _broker.LeasesAsync(LeaseState.Active))
        {
            await ReleaseAsync(lease);
        }

        // There is room by the bound that was asked about, and none by the other.
        await FillAsync();
        Assert.Equal(RefusalCode.LimitReached, (await RedeemRefusedAsync(asked)).Code);
    }

    [Fact]
    public async Task A_limit_that_denies_is_let_pass_by_nobody()
    {
        await _broker.ApplyAsync($"{Policy(ByLeads)}  - {{ id: hard, per: workload, maxActive: 3 }}\n");
        await FillAsync();
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        await _broker.IssueAsync(BrokerHarness.Command(instance: "2"));

        Assert.Equal(RefusalCode.LimitReached, (await RedeemRefusedAsync(asked)).Code);
        Assert.Equal(RefusalCode.LimitReached, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(3, (await _broker.LeasesAsync(LeaseState.Active)).Count);
    }

    [Fact]
    public async Task What_people_were_not_asked_about_they_have_not_let_pass()
    {
        await _broker.ApplyAsync(Challenging(ByLeads));
        var first = await PassAsync(Owner);
        var second = await AskAsync();
        Assert.Null(Assert.Single(second.Demands).LimitId);
        await AgreeAsync(Owner, second);
        // Meanwhile the limit is full.
        await PassAsync(Owner, BrokerHarness.Command(ttl: TimeSpan.FromMinutes(3)));

        Assert.Equal(RefusalCode.LimitReached, (await RedeemRefusedAsync(second)).Code);

        // Asked anew, rule and limit have to be met both.
        var both = await AskAsync();
        Assert.Equal(2, both.Demands.Count);
        await AgreeAsync(Owner, both);
        Assert.Equal(RefusalCode.ApprovalPending, (await RedeemRefusedAsync(both)).Code);
        await AgreeAsync(Ann, both);
        var lease = await _broker.IssueAsync(Redemption(both));

        // What was let pass stays while the rules ask the same; limits bind what opens.
        await _broker.ApplyAsync("# another\n" + Challenging("per: instance, maxActive: 1"));
        await _broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(first.Id)).State);
    }

    [Fact]
    public async Task What_another_agent_redeems_is_let_pass_by_nobody()
    {
        await LimitAsync(ByLeads);
        await FillAsync();
        await _broker.ApplyAsync(Challenging(ByLeads, ", executor: helper"));

        Assert.Equal(RefusalCode.LimitReached, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
    }

    [Fact]
    public async Task A_flood_stops_at_exactly_the_limit_and_asks_people_once()
    {
        await LimitAsync(ByLeads);
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 40).Select(_ => _broker.ExchangeAsync(BrokerHarness.Command()).AsTask())
        );

        Assert.Equal(2, outcomes.OfType<ExchangeOutcome.Issued>().Count());
        Assert.Single(
            outcomes.OfType<ExchangeOutcome.Challenged>().Select(challenged => challenged.Approval.Id).Distinct()
        );
        Assert.Single(await _broker.EventsAsync(ApprovalRequested.TypeName));
        Assert.Equal(2, (await _broker.LeasesAsync(LeaseState.Active, LeaseState.Pending)).Count);
    }

    private static string Policy(string limit) =>
        $"{HarnessPolicy.Text()}\nlimits:\n  - {{ id: the-limit, {limit} }}\n";

    /// <summary>The same where a rule has the owner decide, too.</summary>
    private static string Challenging(string limit, string more = "") =>
        Policy(limit)
            .Replace(
                "effect: allow",
                $"effect: challenge\n    approval: {{ approvers: [owner], expiresAfter: 30m{more} }}",
                StringComparison.Ordinal
            );

    private Task LimitAsync(string limit) => _broker.ApplyAsync(Policy(limit));

    private async Task FillAsync()
    {
        await _broker.IssueAsync();
        await _broker.IssueAsync();
    }

    private async Task<Lease> PassAsync(Person person, ExchangeCommand? command = null)
    {
        var asked = await AskAsync(command);
        await AgreeAsync(person, asked);
        return await _broker.IssueAsync(Redemption(asked, command));
    }

    private async Task<Approval> AskAsync(ExchangeCommand? command = null) =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(command ?? BrokerHarness.Command()))
            .Approval;

    private static ExchangeCommand Redemption(Approval asked, ExchangeCommand? command = null) =>
        (command ?? BrokerHarness.Command()) with
        {
            ApprovalId = asked.Id,
        };

    private Task<Refusal> RedeemRefusedAsync(Approval asked) => _broker.RefusedAsync(Redemption(asked));

    private async Task AgreeAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out var refusal), refusal?.Detail);
    }

    private async Task AgreeRefusedAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.False(said.Passes(out _, out _));
    }

    private async Task<ApprovalState?> StateAsync(Approval asked) =>
        (await _broker.Store.Approvals.FindAsync(asked.Id, default))?.State;

    private async Task ReleaseAsync(Lease lease) =>
        await _broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage", "1"),
            lease.Id,
            BrokerHarness.Call,
            default
        );

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
}
