using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_noted_denial_is_found_as_it_was_noted_over_a_restart()
    {
        var noted = await NotedAsync();
        Reopen();
        Assert.Equal(noted, await Store.Approvals.FindEvaluationAsync(noted.Id, default));
        Assert.Null(await Store.Approvals.FindEvaluationAsync(Samples.NewId(), default));
    }

    [Fact]
    public async Task A_denial_is_used_once_by_its_caller_and_in_time()
    {
        var noted = await NotedAsync();
        await AssertGuardAsync(
            GuardFailure.EvaluationNotUsable,
            All(Used(noted) with { EvaluationId = Samples.NewId() })
        );
        await AssertGuardAsync(GuardFailure.EvaluationNotUsable, All(Used(noted) with { CallerKey = "another" }));

        await CommitAsync(All(Used(noted, key: "key-1")));
        await AssertGuardAsync(GuardFailure.EvaluationNotUsable, All(Used(noted, approval: "another")));
        var found = await Store.Approvals.FindSubmittedAsync(noted.CallerKey, "key-1", default);
        Assert.Equal((noted.Id, "approval-1", "body-1"), (found?.Id, found?.ApprovalId, found?.BodyDigest));
        Assert.Null(await Store.Approvals.FindSubmittedAsync("another", "key-1", default));

        var late = await NotedAsync();
        Time.Advance(TimeSpan.FromMinutes(5));
        await AssertGuardAsync(GuardFailure.EvaluationNotUsable, All(Used(late)));
    }

    [Fact]
    public async Task A_callers_key_is_used_once_and_anothers_is_another()
    {
        await CommitAsync(All(Used(await NotedAsync(), key: "key-1")));
        await AssertGuardAsync(GuardFailure.IdempotencyTaken, All(Used(await NotedAsync(), key: "key-1")));
        await CommitAsync(All(Used(await NotedAsync("caller-2"), key: "key-1")));
        await CommitAsync(All(Used(await NotedAsync(), key: "key-2")));
    }

    [Fact]
    public async Task A_question_is_asked_only_with_its_denial_and_a_denial_used_only_with_its_question()
    {
        var noted = await NotedAsync();
        await CommitAsync(All(Used(noted)));
        await AssertGuardAsync(GuardFailure.EvaluationNotUsable, new StateChange.All([Used(noted), Samples.Asked()]));
        Assert.Empty(await Store.Approvals.ListOpenAsync(default));

        var other = await NotedAsync();
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            new StateChange.All([Used(other), Samples.Asked(Samples.Decision(policyVersion: 7))])
        );
        Assert.Null((await Store.Approvals.FindEvaluationAsync(other.Id, default))?.ApprovalId);
    }

    [Fact]
    public async Task A_callers_newest_denials_are_kept_and_a_workload_has_its_bound()
    {
        var first = await NotedAsync();
        for (var i = 0; i < AccessEvaluation.MaxPerCaller; i++)
        {
            await NotedAsync();
        }

        Assert.Null(await Store.Approvals.FindEvaluationAsync(first.Id, default));
        for (var i = AccessEvaluation.MaxPerCaller; i < AccessEvaluation.MaxPerWorkload; i++)
        {
            await NotedAsync($"caller-{i}");
        }

        await AssertGuardAsync(GuardFailure.TooManyApprovals, All(Noting("one more")));
        await CommitAsync(All(Noting("one more", workload: "workload-2")));
    }

    [Fact]
    public async Task What_is_over_is_forgotten_as_others_come()
    {
        var (unused, used) = (await NotedAsync(), await NotedAsync());
        await CommitAsync(All(Used(used, key: "key-1")));
        Time.Advance(TimeSpan.FromMinutes(5));
        await NotedAsync("caller-2");
        Assert.Null(await Store.Approvals.FindEvaluationAsync(unused.Id, default));
        Assert.NotNull(await Store.Approvals.FindSubmittedAsync(used.CallerKey, "key-1", default));
        Time.Advance(TimeSpan.FromHours(25));
        await NotedAsync("caller-2");
        Assert.Null(await Store.Approvals.FindSubmittedAsync(used.CallerKey, "key-1", default));
    }

    private static StateChange.All All(StateChange.Transition change) => new([change]);

    private async Task<AccessEvaluation> NotedAsync(string caller = "caller-1")
    {
        var noting = Noting(caller);
        await CommitAsync(All(noting));
        return noting.Evaluation;
    }

    private StateChange.EvaluationNoted Noting(string caller, string workload = "workload-1") =>
        new()
        {
            Evaluation = new()
            {
                Id = Samples.NewId(),
                CallerKey = caller,
                Binding = "binding-1",
                PolicyVersion = 0,
                At = Store.Position.Counted,
                ExpiresAt = Store.Position.Counted.AddMinutes(5),
            },
            WorkloadKey = workload,
            Event = null,
        };

    private StateChange.EvaluationUsed Used(
        AccessEvaluation noted,
        string? key = null,
        string approval = "approval-1"
    ) =>
        new()
        {
            EvaluationId = noted.Id,
            CallerKey = noted.CallerKey,
            ApprovalId = approval,
            KeyDigest = key,
            BodyDigest = "body-1",
            KeptUntil = Store.Position.Counted.AddHours(24),
            Event = null,
        };
}
