using CredBroker.Core.Approvals;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Owners;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Owners;

/// <summary>An owner who goes: what they answered for, what people are asked, and what was under way.</summary>
public sealed class OwnerTests : IAsyncLifetime
{
    private const string Issuer = "https://people.example";
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await _broker.ApplyAsync(Medium());
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_process_whose_owner_is_gone_is_constrained_at_once()
    {
        var lease = await _broker.IssueAsync();
        Assert.True(GateOf(lease.Decision));

        var gone = await RetireAsync();
        Assert.Equal(["invoice-triage"], gone.Processes.Select(process => process.Name));
        Assert.Equal([lease.Id], gone.Leases.Select(live => live.Id));
        Assert.Empty(gone.Orders);

        // Nobody is left to ask, and the record says why.
        Assert.Equal(RefusalCode.NobodyToAsk, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        var denied = (await _broker.EventsAsync(RequestDenied.TypeName))[^1];
        var gate = denied.GetProperty("details").GetProperty("decision").GetProperty("gate");
        Assert.Contains(
            gate.EnumerateArray(),
            one => one.GetProperty("name").GetString() == "owner" && !one.GetProperty("holds").GetBoolean()
        );

        // What was issued before stays until it ends.
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Single(await _broker.EventsAsync(OwnerRetired.TypeName));
    }

    [Fact]
    public async Task Who_is_not_the_owner_takes_nothing_along()
    {
        var gone = await RetireAsync("somebody");
        Assert.Empty(gone.Processes);
        await RetireAsync(issuer: "https://elsewhere.example");
        Assert.True(GateOf((await _broker.IssueAsync()).Decision));
    }

    [Fact]
    public async Task What_was_decided_before_an_owner_went_is_not_opened_after()
    {
        _broker.Issuer.OnPrepare = async _ =>
        {
            _broker.Issuer.OnPrepare = null;
            await RetireAsync();
        };
        Assert.Equal(RefusalCode.NobodyToAsk, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(await _broker.LeasesAsync());
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_broker_that_has_not_heard_of_it_opens_nothing_either()
    {
        // The same store, by another broker's hand: this one's policy knows nothing of it yet.
        using var other = new PolicyControl(_broker.PolicySource, _broker.Store, NullLogger<PolicyControl>.Instance);
        Assert.True(await other.StartAsync(default));
        var retired = await new OwnerOrders(_broker.Store, other, _broker.Revocations, _broker.Anchor).RetireAsync(
            Issuer,
            "owner-1",
            "left",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.True(retired.Passes(out _, out _));
        Assert.True(_broker.Policy.Current!.Set.Processes["invoice-triage"].HasOwner);

        Assert.Equal(RefusalCode.PolicyChanging, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(await _broker.LeasesAsync());
        Assert.True(await _broker.Policy.RefreshAsync(default));
        Assert.Equal(RefusalCode.NobodyToAsk, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);

        // And one that starts later knows from its first decision on.
        using var later = new PolicyControl(_broker.PolicySource, _broker.Store, NullLogger<PolicyControl>.Instance);
        Assert.True(await later.StartAsync(default));
        Assert.False(later.Current!.Set.Processes["invoice-triage"].HasOwner);
    }

    [Fact]
    public async Task Where_the_process_says_so_what_its_agents_hold_is_revoked()
    {
        await _broker.ApplyAsync(Medium(more: "onOwnerGone: revoke"));
        var lease = await _broker.IssueAsync();
        var gone = await RetireAsync();
        var order = Assert.Single(gone.Orders);
        await _broker.Retry.RunAsync(default);
        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Revoked, order), (revoked.State, revoked.RevocationId));
    }

    [Fact]
    public async Task A_renewal_is_a_decision_like_any_other()
    {
        var lease = await _broker.IssueAsync();
        await RetireAsync();
        var renewed = await _broker.Agents.RenewAsync(
            BrokerHarness.Command().Proof,
            lease.Id,
            TimeSpan.FromMinutes(5),
            BrokerHarness.Call,
            default
        );
        Assert.IsType<Core.Leases.LeaseOutcome.Refused>(renewed);
    }

    [Fact]
    public async Task Who_is_gone_agrees_to_nothing_and_is_not_asked()
    {
        await _broker.ApplyAsync(
            Medium()
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                    StringComparison.Ordinal
                )
        );
        var asked = Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command()))
            .Approval;
        var (ann, bob) = (Human("ann"), Human("bob"));
        Assert.Single(await _broker.People.ListAsync(ann, default));
        await RetireAsync("ann");

        Assert.Empty(await _broker.People.ListAsync(ann, default));
        var refused = await _broker.People.AgreeAsync(ann, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.False(refused.Passes(out _, out var refusal));
        Assert.Equal(RefusalCode.OwnerGone, refusal.Code);
        Assert.False((await _broker.People.FindAsync(ann, asked.Id, default)).Passes(out _, out refusal));
        Assert.Equal(RefusalCode.OwnerGone, refusal.Code);
        var denied = await _broker.People.DenyAsync(ann, asked.Id, "no", BrokerHarness.Call, default);
        Assert.False(denied.Passes(out _, out refusal));
        Assert.Equal(RefusalCode.OwnerGone, refusal.Code);
        Assert.True(
            (await _broker.People.AgreeAsync(bob, asked.Id, asked.Digest, BrokerHarness.Call, default)).Passes(
                out var agreed,
                out _
            )
        );
        Assert.Equal(ApprovalState.Approved, agreed.State);
    }

    [Fact]
    public async Task Who_is_gone_is_told_nothing_by_the_stream_either()
    {
        await _broker.ApplyAsync(
            Medium()
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                    StringComparison.Ordinal
                )
        );
        using var stop = new CancellationTokenSource();
        var before = _broker.Store.Position.Approvals;
        await using var ann = Follow("ann");
        await using var bob = Follow("bob");
        // The first says that there is nothing.
        Assert.True(await ann.MoveNextAsync() && ann.Current is null);
        Assert.True(await bob.MoveNextAsync() && bob.Current is null);
        await RetireAsync("ann");
        var asked = Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command()))
            .Approval;

        Assert.True(await bob.MoveNextAsync());
        Assert.Equal(asked.Id, bob.Current?.Id);
        // She, whose stream has read on as far, comes to the next heartbeat.
        var next = ann.MoveNextAsync().AsTask();
        await Eventually.BecomesTrueAsync(() =>
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(next.IsCompleted);
        });
        Assert.True(await next);
        Assert.Null(ann.Current);

        IAsyncEnumerator<Approval?> Follow(string subject) =>
            new ApprovalWatch(_broker.Store, _broker.People, _broker.News, _broker.Time)
                .FollowAsync(Human(subject), before, stop.Token)
                .GetAsyncEnumerator(stop.Token);
    }

    [Fact]
    public async Task A_question_that_only_the_owner_could_answer_is_taken_back()
    {
        // The gate alone asks: the process tolerates nothing, and its owner would have to agree.
        await _broker.ApplyAsync(
            Medium().Replace("toleratesRuntimeAction: true", "toleratesRuntimeAction: false", StringComparison.Ordinal)
        );
        var asked = Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command()))
            .Approval;
        await _broker.ApprovalSweep.RunAsync(default);
        await RetireAsync();
        await _broker.ApprovalSweep.RunAsync(default);
        var found = await _broker.Store.Approvals.FindAsync(asked.Id, default);
        Assert.Equal((ApprovalState.Voided, "policy-change"), (found?.State, found?.Reason));
    }

    [Fact]
    public async Task A_broker_that_has_not_heard_who_is_back_takes_no_question_back()
    {
        await _broker.ApplyAsync(
            Medium().Replace("toleratesRuntimeAction: true", "toleratesRuntimeAction: false", StringComparison.Ordinal)
        );
        var asked = Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command()))
            .Approval;
        await RetireAsync();
        using var other = new PolicyControl(_broker.PolicySource, _broker.Store, NullLogger<PolicyControl>.Instance);
        Assert.True(await other.StartAsync(default));
        var there = new OwnerOrders(_broker.Store, other, _broker.Revocations, _broker.Anchor);
        Assert.True((await ReinstateAsync(at: there)).Passes(out _, out _));
        Assert.False(_broker.Policy.Current!.Set.Processes["invoice-triage"].HasOwner);

        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Pending, (await _broker.Store.Approvals.FindAsync(asked.Id, default))?.State);

        Assert.True(await _broker.Policy.RefreshAsync(default));
        await _broker.ApprovalSweep.RunAsync(default);
        Assert.Equal(ApprovalState.Pending, (await _broker.Store.Approvals.FindAsync(asked.Id, default))?.State);
    }

    [Fact]
    public async Task Policy_names_the_next_owner_and_who_comes_back_owns_again()
    {
        await RetireAsync();
        await _broker.ApplyAsync(Medium().Replace("owner-1", "owner-2", StringComparison.Ordinal));
        Assert.True(GateOf((await _broker.IssueAsync()).Decision));

        await _broker.ApplyAsync(Medium(comment: "owner-1 again"));
        Assert.Equal(RefusalCode.NobodyToAsk, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        var back = await ReinstateAsync();
        Assert.True(back.Passes(out _, out _));
        Assert.True(GateOf((await _broker.IssueAsync(BrokerHarness.Command(task: "t-2"))).Decision));
        Assert.Single(await _broker.EventsAsync(OwnerReinstated.TypeName));

        Assert.False((await ReinstateAsync()).Passes(out _, out var refusal));
        Assert.Equal(RefusalCode.OwnerNotRetired, refusal.Code);
    }

    [Fact]
    public async Task Who_is_gone_does_not_bring_themselves_back()
    {
        await RetireAsync();
        var tried = await ReinstateAsync(AuditActor.Person(Issuer, "owner-1"));
        Assert.False(tried.Passes(out _, out var refusal));
        Assert.Equal(RefusalCode.OwnerGone, refusal.Code);
        Assert.Contains("another admin", refusal.Detail, StringComparison.Ordinal);
        Assert.Single(await _broker.Owners.ListAsync(default));

        // The same subject of another issuer is somebody else.
        Assert.True(
            (await ReinstateAsync(AuditActor.Person("https://elsewhere.example", "owner-1"))).Passes(out _, out _)
        );
    }

    [Fact]
    public async Task Gone_twice_is_gone_once()
    {
        var first = await RetireAsync();
        var second = await RetireAsync();
        Assert.Equal(first.Owner, second.Owner);
        Assert.Equal((false, true), (first.IsAlready, second.IsAlready));
        Assert.Single(await _broker.EventsAsync(OwnerRetired.TypeName));
        Assert.Single(await _broker.Owners.ListAsync(default));
    }

    [Fact]
    public async Task Where_the_process_says_revoke_later_saying_it_again_revokes_what_lives_once()
    {
        var lease = await _broker.IssueAsync();
        Assert.Empty((await RetireAsync()).Orders);
        await _broker.ApplyAsync(Medium(more: "onOwnerGone: revoke"));

        var order = Assert.Single((await RetireAsync()).Orders);
        await _broker.Retry.RunAsync(default);
        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Revoked, order), (revoked.State, revoked.RevocationId));
        Assert.Empty((await RetireAsync()).Orders);
        Assert.Single(await _broker.EventsAsync(OwnerRetired.TypeName));
    }

    private static string Medium(string more = "", string comment = "") =>
        HarnessPolicy
            .Text(comment: comment)
            .Replace("impact: low", "impact: medium", StringComparison.Ordinal)
            .Replace(
                "toleratesRuntimeAction: true",
                $"toleratesRuntimeAction: true\n    {more}".TrimEnd(),
                StringComparison.Ordinal
            );

    private static bool GateOf(DecisionRecord decision) =>
        decision.Verdict.Gate.Single(condition => condition.Name == "owner").Holds;

    private static Person Human(string subject) =>
        new()
        {
            Issuer = Issuer,
            Subject = subject,
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = ["leads"],
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };

    private async Task<OwnerGone> RetireAsync(string subject = "owner-1", string issuer = Issuer)
    {
        var retired = await _broker.Owners.RetireAsync(
            issuer,
            subject,
            "left",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.True(retired.Passes(out var gone, out var refusal), refusal?.Detail);
        return gone;
    }

    private async Task<Checked<OwnerRetirement>> ReinstateAsync(AuditActor? by = null, OwnerOrders? at = null) =>
        await (at ?? _broker.Owners).ReinstateAsync(
            Issuer,
            "owner-1",
            "back",
            by ?? BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
}
