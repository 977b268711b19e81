using System.Text.Json;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>Whom a question asks, too, where nobody has decided it for a while.</summary>
public sealed class EscalationTests : IAsyncLifetime
{
    private const string ToHeads =
        """{ approvers: ["group:leads"], expiresAfter: 30m, escalate: { after: 10m, to: ["group:heads"] } }""";

    private static readonly Person Ann = Human("ann", "leads");
    private static readonly Person Eve = Human("eve", "heads");
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await ChallengeAsync(ToHeads);
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Who_is_asked_later_neither_sees_nor_decides_it_before()
    {
        var asked = await AskAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
        await _broker.ApprovalSweep.RunAsync(default);

        Assert.Empty(await _broker.People.ListAsync(Eve, default));
        Assert.Equal(RefusalCode.ApprovalNotFound, await AgreeRefusedAsync(Eve, asked));
        Assert.Equal(RefusalCode.ApprovalNotFound, await DenyRefusedAsync(Eve, asked));
        Assert.Empty(await _broker.EventsAsync(ApprovalEscalated.TypeName));
    }

    [Fact]
    public async Task Who_is_asked_later_decides_from_then_on_whether_or_not_a_job_has_run()
    {
        var (agreed, denied) = (await AskAsync(), await AskAsync("t-2"));
        _broker.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal([agreed.Id, denied.Id], (await _broker.People.ListAsync(Eve, default)).Select(open => open.Id));
        await AgreeAsync(Eve, agreed);
        var said = await _broker.People.DenyAsync(Eve, denied.Id, "no", BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out _));
        var details = Assert.Single(await _broker.EventsAsync(ApprovalAgreed.TypeName)).GetProperty("details");
        Assert.Equal(0, Assert.Single(details.GetProperty("escalated").EnumerateArray()).GetInt32());
        await _broker.IssueAsync(BrokerHarness.Command() with { ApprovalId = agreed.Id });
    }

    [Fact]
    public async Task Who_agreed_before_they_were_asked_for_the_rest_is_told_that_somebody_else_has_to()
    {
        await _broker.ApplyAsync(
            $$"""
            {{Challenging(ToHeads)}}
              - id: heads-too
                effect: challenge
                when: agent == "triage"
                approval: { approvers: ["group:heads"], expiresAfter: 30m }
            """
        );
        var asked = await AskAsync();
        await AgreeAsync(Eve, asked);
        await AgreeAsync(Eve, asked);
        _broker.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal(RefusalCode.ApprovalOver, await AgreeRefusedAsync(Eve, asked));
        await AgreeAsync(Ann, asked);
        await _broker.IssueAsync(BrokerHarness.Command() with { ApprovalId = asked.Id });
    }

    [Fact]
    public async Task Who_agreed_because_more_people_were_asked_may_take_it_back_also_by_a_clock_that_fell_back()
    {
        var asked = await AskAsync();
        _broker.Wall.Offset = -TimeSpan.FromHours(1);
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        await AgreeAsync(Eve, asked);

        var said = await _broker.People.DenyAsync(Eve, asked.Id, "no", BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out var refusal), refusal?.Detail);
    }

    [Fact]
    public async Task Who_was_asked_from_the_beginning_decides_as_before()
    {
        var asked = await AskAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        await _broker.ApprovalSweep.RunAsync(default);
        await AgreeAsync(Ann, asked);
        var details = Assert.Single(await _broker.EventsAsync(ApprovalAgreed.TypeName)).GetProperty("details");
        Assert.False(details.TryGetProperty("escalated", out _));
    }

    [Fact]
    public async Task The_job_tells_of_it_once_and_wakes_who_waits()
    {
        await AskAsync();
        await ChallengeLaterAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        var next = _broker.News.Next;
        await _broker.ApprovalSweep.RunAsync(default);
        await _broker.ApprovalSweep.RunAsync(default);

        Assert.True(next.IsCompleted);
        var told = Assert.Single(await _broker.EventsAsync(ApprovalEscalated.TypeName));
        Assert.Equal("[0]", told.GetProperty("details").GetProperty("demands").GetRawText());
        Assert.Single(
            await _broker.Store.Notifications.FindDueAsync(100, default),
            due => due.Kind == NotificationKind.Escalated
        );

        // The policy is the same: nothing is taken back by it.
        Task ChallengeLaterAsync() => _broker.ApplyAsync("# a comment\n" + Challenging(ToHeads));
    }

    [Fact]
    public async Task What_was_approved_before_is_nothing_to_those_who_would_have_been_asked()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        await _broker.ApprovalSweep.RunAsync(default);

        Assert.Equal(RefusalCode.ApprovalNotFound, await DenyRefusedAsync(Eve, asked));
        Assert.Empty(await _broker.EventsAsync(ApprovalEscalated.TypeName));
    }

    [Fact]
    public async Task Who_asked_or_owns_or_is_gone_does_not_decide_later_either()
    {
        await ChallengeAsync(
            """
            { approvers: ["group:leads"], notOwner: true, expiresAfter: 30m, escalate: { after: 10m, to: ["group:heads"] } }
            """
        );
        var asked = await AskAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        var self = Eve with { Issuer = asked.Decision.Identity.Issuer, Subject = asked.Decision.Identity.Subject };
        Assert.Equal(RefusalCode.SelfApproval, await AgreeRefusedAsync(self, asked));
        Assert.Equal(RefusalCode.SelfApproval, await AgreeRefusedAsync(Eve with { Subject = "owner-1" }, asked));
        await _broker.Owners.RetireAsync(
            Eve.Issuer,
            Eve.Subject,
            "left",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.Equal(RefusalCode.OwnerGone, await AgreeRefusedAsync(Eve, asked));
        Assert.Empty(await _broker.People.ListAsync(Eve, default));
    }

    [Fact]
    public async Task An_owner_who_is_gone_is_not_asked_later()
    {
        const string toOwner =
            """{ approvers: ["group:leads"], expiresAfter: 30m, escalate: { after: 10m, to: [owner] } }""";
        await ChallengeAsync(toOwner);
        var before = await AskAsync();
        Assert.Equal(
            new Approver.Person("https://people.example", "owner-1"),
            Assert.Single(before.Demands[0].Escalation!.To)
        );
        await _broker.Owners.RetireAsync(
            "https://people.example",
            "owner-1",
            "left",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );

        Assert.Null((await AskAsync("t-2")).Demands[0].Escalation);
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Voided, (await _broker.Store.Approvals.FindAsync(before.Id, default))!.State);
    }

    [Fact]
    public async Task Those_who_are_asked_first_and_later_make_a_quorum_together()
    {
        await ChallengeAsync(
            """
            { approvers: ["group:leads"], quorum: 2, expiresAfter: 30m, escalate: { after: 10m, to: ["group:heads"] } }
            """
        );
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        _broker.Time.Advance(TimeSpan.FromMinutes(10));
        await AgreeAsync(Eve, asked);
        Assert.Equal(ApprovalState.Approved, (await _broker.Store.Approvals.FindAsync(asked.Id, default))!.State);
    }

    [Theory]
    [InlineData("after: 10m", "after: 9m")]
    [InlineData("\"group:heads\"", "\"group:others\"")]
    [InlineData(", escalate: { after: 10m, to: [\"group:heads\"] }", "")]
    public async Task Another_escalation_is_another_question(string old, string changed)
    {
        var (open, approved) = (await AskAsync(), await AskAsync("t-2"));
        await AgreeAsync(Ann, approved);
        await ChallengeAsync(ToHeads.Replace(old, changed, StringComparison.Ordinal));

        Assert.Equal(
            RefusalCode.ApprovalMismatch,
            (await _broker.RefusedAsync(BrokerHarness.Command(task: "t-2") with { ApprovalId = approved.Id })).Code
        );
        await _broker.ApprovalSweep.RunAsync(default);
        foreach (var id in (string[])[open.Id, approved.Id])
        {
            Assert.Equal(ApprovalState.Voided, (await _broker.Store.Approvals.FindAsync(id, default))!.State);
        }

        Assert.NotEqual(open.Digest, (await AskAsync()).Digest);
    }

    [Fact]
    public async Task What_is_on_record_of_a_request_names_whom_it_asks_later()
    {
        await AskAsync();
        var demand = Assert
            .Single(await _broker.EventsAsync(ApprovalRequested.TypeName))
            .GetProperty("details")
            .GetProperty("obligations")[0]
            .GetProperty("demands")[0];
        Assert.Equal(
            JsonElement.Parse("""{"after":"00:10:00","to":[{"by":"group","name":"heads"}]}""").GetRawText(),
            demand.GetProperty("escalation").GetRawText()
        );
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
            .Replace("effect: allow", $"effect: challenge\n    approval: {approval.Trim()}", StringComparison.Ordinal);

    private Task ChallengeAsync(string approval) => _broker.ApplyAsync(Challenging(approval));

    private async Task<Approval> AskAsync(string task = "t-1") =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command(task: task)))
            .Approval;

    private async Task AgreeAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out var refusal), refusal?.Detail);
    }

    private async Task<RefusalCode> AgreeRefusedAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.False(said.Passes(out _, out var refusal));
        return refusal.Code;
    }

    private async Task<RefusalCode> DenyRefusedAsync(Person person, Approval asked)
    {
        var said = await _broker.People.DenyAsync(person, asked.Id, "no", BrokerHarness.Call, default);
        Assert.False(said.Passes(out _, out var refusal));
        return refusal.Code;
    }
}
