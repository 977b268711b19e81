using CredBroker.Core.Approvals;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>Denials that people could be asked about, and what is submitted for them, where time and policy move.</summary>
public sealed class AccessRequestTests : IAsyncLifetime
{
    private static readonly Person Ann = new()
    {
        Issuer = "https://people.example",
        Subject = "ann",
        Roles = new HashSet<PersonRole> { PersonRole.Approver },
        Groups = ["leads"],
        ProofExpiresAt = DateTimeOffset.MaxValue,
        ProofHash = "hash",
    };
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                    StringComparison.Ordinal
                )
        );
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_denial_ends_by_the_brokers_clock_whatever_the_caller_says()
    {
        var (noted, submission) = await NoteAsync();
        _broker.Time.Advance(AccessRequests.Life);
        Assert.Equal(RefusalCode.DenialExpired, (await RefusedAsync(submission)).Code);
        Assert.Equal(
            RefusalCode.DenialBindingInvalid,
            (await RefusedAsync(submission with { ExpiresAt = noted.ExpiresAt.AddHours(1) })).Code
        );
        Assert.Empty(await _broker.EventsAsync(ApprovalRequested.TypeName));
    }

    [Fact]
    public async Task An_approval_ends_and_lets_nothing_be_any_more()
    {
        var (_, submission) = await NoteAsync();
        var asked = await SubmitAsync(submission);
        var said = await _broker.People.AgreeAsync(Ann, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out _));
        Assert.Null((await ReevaluateAsync(asked)).Verdict.Refusal);

        _broker.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(RefusalCode.ApprovalExpired, (await ReevaluateAsync(asked)).Verdict.Refusal?.Code);
    }

    [Fact]
    public async Task A_task_is_gone_when_its_time_is_over()
    {
        var (_, submission) = await NoteAsync();
        var asked = await SubmitAsync(submission);
        Assert.Null(await LookAsync());
        _broker.Time.Advance(asked.ExpiresAt - _broker.Store.Position.Counted);
        Assert.Equal(RefusalCode.ApprovalExpired, (await LookAsync())?.Code);
        Assert.Equal(RefusalCode.ApprovalNotFound, (await LookAsync("2"))?.Code);

        async Task<Refusal?> LookAsync(string instance = "1")
        {
            var proof = BrokerHarness.Command(instance: instance).Proof;
            var found = await _broker.Access.FindAsync(proof, asked.Id, BrokerHarness.Call, default);
            return found.Passes(out _, out var refusal) ? null : refusal;
        }
    }

    [Fact]
    public async Task What_policy_denies_by_now_is_denied_with_an_approval_too()
    {
        var (_, submission) = await NoteAsync();
        var asked = await SubmitAsync(submission);
        await _broker.People.AgreeAsync(Ann, asked.Id, asked.Digest, BrokerHarness.Call, default);
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        Assert.Equal(RefusalCode.NoRuleAllows, (await ReevaluateAsync(asked)).Verdict.Refusal?.Code);
    }

    [Fact]
    public async Task What_policy_allows_by_now_is_nothing_to_ask_about_and_on_record()
    {
        await _broker.ApplyAsync(HarnessPolicy.Text(comment: "allows again"));
        var (_, submission) = await NoteAsync();
        Assert.Equal(RefusalCode.NotRequestable, (await RefusedAsync(submission)).Code);
        var denied = Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName));
        Assert.Equal("CB3021", denied.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task What_policy_denies_is_told_as_the_denial_that_it_is()
    {
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        var (_, submission) = await NoteAsync();
        Assert.Equal(RefusalCode.NotRequestable, (await RefusedAsync(submission)).Code);
        var denied = Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName));
        Assert.Equal("CB2001", denied.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Nobody_is_asked_for_what_would_be_refused_all_the_same()
    {
        var (_, submission) = await NoteAsync();
        _broker.Issuer.Refuses = new(RefusalCode.VaultSealed, "sealed");
        Assert.Equal(RefusalCode.VaultSealed, (await RefusedAsync(submission)).Code);
        Assert.Empty(await _broker.EventsAsync(ApprovalRequested.TypeName));

        // Nothing was used up by it.
        _broker.Issuer.Refuses = null;
        await SubmitAsync(submission);
        Assert.Single(await _broker.EventsAsync(ApprovalRequested.TypeName));
    }

    [Fact]
    public async Task What_is_taken_back_by_who_asked_is_told_as_theirs()
    {
        var (_, submission) = await NoteAsync();
        var asked = await SubmitAsync(submission);
        var cancelled = await _broker.Approvals.CancelAsync(
            BrokerHarness.Command().Proof,
            asked.Id,
            BrokerHarness.Call,
            default
        );
        Assert.True(cancelled.Passes(out var over, out _));
        Assert.Equal(ApprovalState.Voided, over.State);
        var told = Assert.Single(await _broker.EventsAsync(ApprovalVoided.TypeName));
        Assert.Equal("cancelled", told.GetProperty("reason").GetString());
        Assert.Equal("workload", told.GetProperty("actor").GetProperty("kind").GetString());
        Assert.False(
            (await _broker.People.AgreeAsync(Ann, asked.Id, asked.Digest, BrokerHarness.Call, default)).Passes(
                out _,
                out _
            )
        );
    }

    private ActivePolicy Policy => _broker.Policy.Current!;

    private async Task<(AccessEvaluation Noted, AccessSubmission Submission)> NoteAsync()
    {
        var verified = await _broker.Verifier.VerifyAsync(BrokerHarness.Command().Proof, default);
        var identity = Assert.IsType<VerificationOutcome.Verified>(verified).Identity;
        var noted = Assert.IsType<AccessEvaluation>(
            await _broker.Access.NoteAsync(identity, "binding-1", Policy, default)
        );
        return (
            noted,
            new()
            {
                EvaluationId = noted.Id,
                ExpiresAt = noted.ExpiresAt,
                Binding = noted.Binding,
                BodyDigest = "body-1",
            }
        );
    }

    private async Task<Approval> SubmitAsync(AccessSubmission submission) =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(
                await _broker.Exchange.SubmitAsync(BrokerHarness.Command(), submission, default)
            )
            .Approval;

    private async Task<Refusal> RefusedAsync(AccessSubmission submission) =>
        Assert
            .IsType<ExchangeOutcome.Refused>(
                await _broker.Exchange.SubmitAsync(BrokerHarness.Command(), submission, default)
            )
            .Refusal;

    private ValueTask<DecisionRecord> ReevaluateAsync(Approval asked)
    {
        var (identity, task, request) = (asked.Decision.Identity, asked.Decision.Task, asked.Decision.Request);
        var decision = asked.Decision with
        {
            PolicyVersion = Policy.Version,
            Verdict = Policy.Set.Evaluate(identity, task, request),
        };
        return _broker.Access.ReevaluateAsync(decision, asked.Id, Policy, default);
    }
}
