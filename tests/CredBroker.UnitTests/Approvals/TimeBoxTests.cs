using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>What people may give with their yes: for a while the same is issued again, and nobody is asked.</summary>
public sealed class TimeBoxTests : IAsyncLifetime
{
    private TimeBoxDesk _desk = null!;

    private BrokerHarness Broker => _desk.Broker;

    public async ValueTask InitializeAsync() => _desk = await TimeBoxDesk.StartAsync();

    public ValueTask DisposeAsync() => _desk.DisposeAsync();

    [Fact]
    public async Task The_same_is_issued_again_without_asking_until_its_end()
    {
        var (approval, first) = await _desk.OpenAsync();
        var opened = await _desk.FindAsync(approval);
        Assert.Equal(
            (first.OpenedAt, first.OpenedAt + TimeBoxDesk.HalfAnHour, 1),
            (opened.OpenedAt, opened.EndsAt, opened.Uses)
        );
        Assert.Null(first.Decision.Approval?.TimeBox);

        Broker.Time.Advance(TimeSpan.FromMinutes(20));
        var again = await Broker.IssueAsync(TimeBoxDesk.Command());
        Assert.Equal(
            (approval.Id, approval.Digest, new TimeBoxMark(opened.Digest, opened.EndsAt)),
            (again.Decision.Approval?.Id, again.Decision.Approval?.Digest, again.Decision.Approval?.TimeBox)
        );
        Assert.Equal((2, 1), ((await _desk.FindAsync(approval)).Uses, (await AskedAsync()).Count));
        var used = Assert.Single(await Broker.EventsAsync(TimeBoxUsed.TypeName));
        Assert.Equal(again.Id, used.GetProperty("lease").GetString());
        Assert.Equal(approval.Id, used.GetProperty("details").GetProperty("approval").GetString());

        Broker.Time.Advance(TimeSpan.FromMinutes(10));
        Assert.NotEqual(approval.Id, (await _desk.AskAsync()).Id);
    }

    [Fact]
    public async Task The_clock_starts_with_the_secret_and_not_with_the_question()
    {
        var asked = await _desk.AskAsync();
        Broker.Time.Advance(TimeSpan.FromMinutes(10));
        await _desk.AgreeAsync(TimeBoxDesk.Ann, asked, TimeBoxDesk.HalfAnHour);
        Broker.Time.Advance(TimeSpan.FromMinutes(15));
        Assert.Null(await Broker.Store.TimeBoxes.FindAsync(asked.Id, default));
        var lease = await Broker.IssueAsync(TimeBoxDesk.Command() with { ApprovalId = asked.Id });
        Assert.Equal(lease.OpenedAt + TimeBoxDesk.HalfAnHour, (await _desk.FindAsync(asked)).EndsAt);
    }

    [Fact]
    public async Task Less_and_for_another_purpose_is_within_it()
    {
        var (approval, _) = await _desk.OpenAsync();
        var command = TimeBoxDesk.Command();
        await Broker.IssueAsync(
            command with
            {
                Task = command.Task with { Purpose = "another invoice" },
                Request = command.Request with { Actions = ["summarise"], Ttl = TimeSpan.FromMinutes(1) },
            }
        );
        Assert.Equal(2, (await _desk.FindAsync(approval)).Uses);
    }

    [Fact]
    public async Task Nothing_that_is_issued_in_it_outlives_it()
    {
        var (approval, _) = await _desk.OpenAsync();
        var endsAt = (await _desk.FindAsync(approval)).EndsAt;
        Broker.Time.Advance(TimeSpan.FromMinutes(28));
        var lease = await Broker.IssueAsync(TimeBoxDesk.Command());
        Assert.Equal(endsAt, lease.ExpiresAt);

        Broker.Time.Advance(TimeSpan.FromMinutes(1));
        var renewal = await Broker.Agents.RenewAsync(
            TimeBoxDesk.Command().Proof,
            lease.Id,
            TimeSpan.FromMinutes(5),
            BrokerHarness.Call,
            default
        );
        Assert.Equal(RefusalCode.NotRenewable, Assert.IsType<LeaseOutcome.Refused>(renewal).Refusal.Code);
    }

    [Fact]
    public async Task What_was_made_slowly_does_not_outlive_it_and_is_not_delivered_after_its_end()
    {
        var (approval, _) = await _desk.OpenAsync();
        var endsAt = (await _desk.FindAsync(approval)).EndsAt;
        Broker.Time.Advance(TimeSpan.FromMinutes(29));
        Broker.Issuer.BeforeMint = _ =>
        {
            Broker.Time.Advance(TimeSpan.FromSeconds(20));
            return Task.CompletedTask;
        };
        Assert.Equal(endsAt, (await Broker.IssueAsync(TimeBoxDesk.Command())).ExpiresAt);

        Broker.Time.Advance(TimeSpan.FromSeconds(30));
        var late = await Broker.RefusedAsync(TimeBoxDesk.Command());
        Assert.Equal(RefusalCode.ApprovalUsed, late.Code);
        Assert.Equal(
            LeaseState.Revoked,
            (await Broker.LeasesAsync()).OrderByDescending(lease => lease.Id, StringComparer.Ordinal).First().State
        );
    }

    [Fact]
    public async Task Nobody_gives_more_than_is_offered()
    {
        var asked = await _desk.AskAsync();
        Assert.Equal(TimeSpan.FromHours(1), asked.TimeBoxOffered);
        Assert.False(
            (await _desk.SayAsync(TimeBoxDesk.Ann, asked, TimeSpan.FromMinutes(61))).Passes(out _, out var more)
        );
        Assert.Equal(RefusalCode.TimeBoxNotOffered, more.Code);
        Assert.Contains("1h", more.Detail, StringComparison.Ordinal);

        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m }""");
        var other = await _desk.AskAsync(TimeBoxDesk.Command(task: "t-2"));
        Assert.False(
            (await _desk.SayAsync(TimeBoxDesk.Ann, other, TimeSpan.FromMinutes(1))).Passes(out _, out var none)
        );
        Assert.Equal(RefusalCode.TimeBoxNotOffered, none.Code);
    }

    [Fact]
    public async Task Who_has_agreed_does_not_give_another_time_box_afterwards()
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], quorum: 2, expiresAfter: 30m, timeBox: 1h }""");
        var asked = await _desk.AskAsync();
        await _desk.AgreeAsync(TimeBoxDesk.Ann, asked, null);
        Assert.False(
            (await _desk.SayAsync(TimeBoxDesk.Ann, asked, TimeBoxDesk.HalfAnHour)).Passes(out _, out var said)
        );
        Assert.Equal(RefusalCode.ApprovalOver, said.Code);
        await _desk.AgreeAsync(TimeBoxDesk.Ann, asked, null);
    }

    [Theory]
    [InlineData(30, 20, 20)]
    [InlineData(20, 30, 20)]
    [InlineData(30, null, null)]
    [InlineData(null, 30, null)]
    public async Task Of_a_quorum_all_have_to_give_one_and_the_shortest_counts(int? ann, int? bob, int? length)
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], quorum: 2, expiresAfter: 30m, timeBox: 1h }""");
        var asked = await _desk.AskAsync();
        await _desk.AgreeAsync(TimeBoxDesk.Ann, asked, Minutes(ann));
        await _desk.AgreeAsync(TimeBoxDesk.Bob, asked, Minutes(bob));
        await Broker.IssueAsync(TimeBoxDesk.Command() with { ApprovalId = asked.Id });
        var opened = await Broker.Store.TimeBoxes.FindAsync(asked.Id, default);
        Assert.Equal(Minutes(length), opened?.EndsAt - opened?.OpenedAt);

        static TimeSpan? Minutes(int? minutes) => minutes is { } some ? TimeSpan.FromMinutes(some) : null;
    }

    [Fact]
    public async Task Without_one_the_next_is_a_question()
    {
        var asked = await _desk.AskAsync();
        await _desk.AgreeAsync(TimeBoxDesk.Ann, asked, null);
        await Broker.IssueAsync(TimeBoxDesk.Command() with { ApprovalId = asked.Id });
        Assert.NotEqual(asked.Id, (await _desk.AskAsync()).Id);
        Assert.Empty(await Broker.EventsAsync(TimeBoxOpened.TypeName));
    }

    [Fact]
    public async Task Its_executor_redeems_the_reference_again_and_nobody_else_does()
    {
        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h, executor: helper }""");
        var executor = TimeBoxDesk.Command("helper");
        var (approval, _) = await _desk.OpenAsync(redeemer: executor);

        var again = await Broker.IssueAsync(executor with { ApprovalId = approval.Id });
        Assert.Equal(
            ("helper", "triage", approval.Id),
            (
                again.Decision.Identity.Workload,
                again.Decision.Approval?.PreparedBy?.Workload,
                again.Decision.Approval?.Id
            )
        );
        Assert.Equal(2, (await _desk.FindAsync(approval)).Uses);

        // The one that prepared it: by the reference it never gets it, and without it is asked anew.
        Assert.Equal(
            RefusalCode.ExecutorOnly,
            (await Broker.RefusedAsync(TimeBoxDesk.Command() with { ApprovalId = approval.Id })).Code
        );
        Assert.NotEqual(approval.Id, (await _desk.AskAsync()).Id);
        Broker.Time.Advance(TimeBoxDesk.HalfAnHour);
        Assert.Equal(
            RefusalCode.ApprovalUsed,
            (await Broker.RefusedAsync(executor with { ApprovalId = approval.Id })).Code
        );
    }

    [Fact]
    public async Task A_retry_with_an_idempotency_key_leaves_one_live_secret()
    {
        var (approval, _) = await _desk.OpenAsync();
        var command = TimeBoxDesk.Command() with { IdempotencyKey = "k-1" };
        var first = await Broker.IssueAsync(command);
        var second = await Broker.IssueAsync(command);
        Assert.Equal(LeaseState.Revoked, (await Broker.LeaseAsync(first.Id)).State);
        Assert.Equal(LeaseState.Active, (await Broker.LeaseAsync(second.Id)).State);
        Assert.Equal(3, (await _desk.FindAsync(approval)).Uses);
    }

    [Fact]
    public async Task Its_end_by_time_is_put_on_record_once()
    {
        var (approval, _) = await _desk.OpenAsync();
        await Broker.TimeBoxSweep.RunAsync(default);
        Assert.Null((await _desk.FindAsync(approval)).EndedAt);
        Broker.Time.Advance(TimeBoxDesk.HalfAnHour);
        await Broker.TimeBoxSweep.RunAsync(default);
        await Broker.TimeBoxSweep.RunAsync(default);
        var ended = await _desk.FindAsync(approval);
        Assert.Equal(("expired", Broker.Store.Position.UtcNow), (ended.Cause, ended.EndedAt));
        Assert.Equal(
            "expired",
            Assert.Single(await Broker.EventsAsync(TimeBoxEnded.TypeName)).GetProperty("reason").GetString()
        );
    }

    [Theory]
    [InlineData(false, LeaseState.Active)]
    [InlineData(true, LeaseState.Revoked)]
    public async Task An_approver_takes_it_back_and_its_leases_if_they_say_so(bool leases, LeaseState state)
    {
        var (approval, first) = await _desk.OpenAsync();
        var second = await Broker.IssueAsync(TimeBoxDesk.Command());

        var said = await TakeBackAsync(TimeBoxDesk.Bob, approval.Id, leases);
        Assert.True(said.Passes(out var taken, out var refusal), refusal?.Detail);
        Assert.Equal((leases, "taken-back"), (taken.RevocationId is not null, taken.TimeBox.Cause));
        await Broker.Retry.RunAsync(default);
        Assert.Equal(state, (await Broker.LeaseAsync(first.Id)).State);
        Assert.Equal(state, (await Broker.LeaseAsync(second.Id)).State);
        Assert.NotEqual(approval.Id, (await _desk.AskAsync()).Id);
        var ended = Assert.Single(await Broker.EventsAsync(TimeBoxEnded.TypeName));
        Assert.Equal("enough", ended.GetProperty("details").GetProperty("reason").GetString());

        // Again, by somebody who wants its leases gone after all; the time box ends once.
        Assert.True((await TakeBackAsync(TimeBoxDesk.Ada, approval.Id, leases: true)).Passes(out var again, out _));
        Assert.Equal("taken-back", again.TimeBox.Cause);
        await Broker.Retry.RunAsync(default);
        Assert.Equal(LeaseState.Revoked, (await Broker.LeaseAsync(second.Id)).State);
        Assert.Equal("enough", (await Broker.Store.Revocations.FindAsync(again.RevocationId!, default))!.Reason);
        Assert.Single(await Broker.EventsAsync(TimeBoxEnded.TypeName));
    }

    [Fact]
    public async Task Who_is_not_named_neither_sees_it_nor_takes_it_back()
    {
        var (approval, _) = await _desk.OpenAsync();
        Assert.False((await TakeBackAsync(TimeBoxDesk.Eve, approval.Id, leases: true)).Passes(out _, out var refusal));
        Assert.Equal(RefusalCode.ApprovalNotFound, refusal.Code);
        Assert.Empty(await ListAsync(TimeBoxDesk.Eve));
        Assert.Equal([approval.Id], await ListAsync(TimeBoxDesk.Bob));
        Assert.Equal([approval.Id], await ListAsync(TimeBoxDesk.Ada));
        Broker.Time.Advance(TimeBoxDesk.HalfAnHour);
        Assert.Empty(await ListAsync(TimeBoxDesk.Ada));
    }

    [Fact]
    public async Task The_list_comes_in_pages()
    {
        var open = new List<string>();
        for (var number = 0; number < 5; number++)
        {
            open.Add((await _desk.OpenAsync(command: TimeBoxDesk.Command(task: $"t-{number}"))).Approval.Id);
        }

        var (listed, cursor) = (new List<string>(), (string?)null);
        do
        {
            var found = await Broker.TimeBoxes.ListAsync(TimeBoxDesk.Ann, cursor, 2, default);
            Assert.True(found.Passes(out var page, out _));
            Assert.InRange(page.TimeBoxes.Count, 1, 2);
            listed.AddRange(page.TimeBoxes.Select(timeBox => timeBox.Approval.Id));
            cursor = page.Next;
        } while (cursor is not null);

        Assert.Equal(open, listed);
        Assert.False((await Broker.TimeBoxes.ListAsync(TimeBoxDesk.Ann, "-1", 2, default)).Passes(out _, out _));
    }

    [Fact]
    public async Task The_preview_lists_what_the_sweep_ends_and_why()
    {
        var (ends, _) = await _desk.OpenAsync();
        var helper = TimeBoxDesk
            .Policy()
            .Replace(
                "when: agent == \"triage\"",
                "when: agent == \"triage\" && task.id != \"t-1\"",
                StringComparison.Ordinal
            );
        var (stays, _) = await _desk.OpenAsync(command: TimeBoxDesk.Command(task: "t-2"));

        var preview = await new PolicyPreview(Broker.Store, Broker.Policy).RunAsync(
            new() { Name = "policy.yaml", Text = helper },
            default
        );
        Assert.Equal((2, 1), (preview.OpenTimeBoxes, preview.EndedTimeBoxesCount));
        var (timeBox, fate) = Assert.Single(preview.EndedTimeBoxes);
        Assert.Equal((ends.Id, "CB2001"), (timeBox.Approval.Id, fate.DecidedBy));

        await Broker.ApplyAsync(helper);
        await Broker.TimeBoxSweep.RunAsync(default);
        Assert.Equal("policy-change", (await _desk.FindAsync(ends)).Cause);
        Assert.Null((await _desk.FindAsync(stays)).EndedAt);
        await Broker.IssueAsync(TimeBoxDesk.Command(task: "t-2"));
    }

    [Fact]
    public async Task What_was_issued_in_it_stays_only_while_policy_would_ask_the_same()
    {
        await _desk.OpenAsync();
        var command = TimeBoxDesk.Command();
        var lease = await Broker.IssueAsync(
            command with
            {
                Task = command.Task with { Purpose = "another" },
                Request = command.Request with { Actions = ["read"] },
            }
        );
        await Broker.ApplyAsync(TimeBoxDesk.Policy(comment: "a word"));
        await Broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Active, (await Broker.LeaseAsync(lease.Id)).State);

        await _desk.ApplyAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 50m }""");
        await Broker.Reevaluation.RunAsync(default);
        Assert.Equal(LeaseState.Revoking, (await Broker.LeaseAsync(lease.Id)).State);
    }

    private async Task<IReadOnlyList<System.Text.Json.JsonElement>> AskedAsync() =>
        await Broker.EventsAsync(ApprovalRequested.TypeName);

    private async Task<IEnumerable<string>> ListAsync(Core.Identity.Person person)
    {
        Assert.True((await Broker.TimeBoxes.ListAsync(person, null, 10, default)).Passes(out var page, out _));
        return page.TimeBoxes.Select(timeBox => timeBox.Approval.Id);
    }

    private ValueTask<Checked<Core.Approvals.TakenBackTimeBox>> TakeBackAsync(
        Core.Identity.Person person,
        string approvalId,
        bool leases
    ) => Broker.TimeBoxes.TakeBackAsync(person, approvalId, "enough", leases, BrokerHarness.Call, default);
}
