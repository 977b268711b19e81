using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Server.Endpoints.Input;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// An agent's single evaluation where people come in: a denial that they could be asked about says so, and an approval
/// that the agent presents counts if it applies (AuthZEN Access Request and Approval Profile). A denial stays a denial.
/// </summary>
internal sealed class AccessApprovals(AccessRequests requests, IBrokerStore store, TimeProvider time)
{
    private const string Again = "request";
    private const string Later = "retry";
    private const string Never = "none";

    /// <summary>The answer to an agent's question about itself.</summary>
    public async ValueTask<AccessDecision> AnswerAsync(
        AccessQuestion question,
        AccessJudgement judged,
        ActivePolicy policy,
        CancellationToken cancellationToken
    )
    {
        var answer = judged.Answer();
        if (answer.Decision)
        {
            return answer;
        }

        if (question.Context?.Approval is { } presented)
        {
            return await WithApprovalAsync(question, judged, presented, policy, cancellationToken);
        }

        var denial = await RequestableAsync(question, judged, policy, cancellationToken);
        return denial is null ? answer : answer with { Context = denial };
    }

    /// <summary>Digest of what a denial is bound to: the question, without what the profile itself adds.</summary>
    public static string BindingOf(AccessQuestion question)
    {
        var subject = question.Subject!;
        var properties = subject.Properties?.Where(member => member.Key != "act").ToDictionary(StringComparer.Ordinal);
        return AccessSubmission.DigestOf(
            JsonSerializer.SerializeToElement(
                new(
                    subject with
                    {
                        Properties = properties,
                    },
                    question.Action!,
                    question.Resource!,
                    question.Context is { } context ? context with { Approval = null } : null
                ),
                AccessJson.Default.AccessBound
            )
        );
    }

    private async ValueTask<AccessDecision> WithApprovalAsync(
        AccessQuestion question,
        AccessJudgement judged,
        AccessApproval presented,
        ActivePolicy policy,
        CancellationToken cancellationToken
    )
    {
        var now = store.Position.UtcNow;
        var asked = new DecisionRecord
        {
            Id = Ids.New(time),
            PolicyVersion = policy.Version,
            Identity = judged.Identity,
            Task = judged.Task,
            Request = judged.Request,
            Verdict = judged.Verdict,
        };
        // This broker gives no state: one that is there is of somebody else's making.
        var decision =
            presented.State is null && judged.HasProcess
                ? await requests.ReevaluateAsync(asked, presented.Id ?? "", policy, cancellationToken)
                : null;
        if (decision is { Verdict.Effect: PolicyEffect.Allow, Approval.Id: var id })
        {
            return new()
            {
                Decision = true,
                Context = new()
                {
                    EvaluatedAt = now,
                    Approval = new()
                    {
                        Id = id,
                        ApprovedUntil = (await store.Approvals.FindAsync(id, cancellationToken))?.ExpiresAt,
                    },
                },
            };
        }

        var refusal = decision?.Verdict.Refusal ?? AccessMapping.NotAnApproval;
        var (reason, action) = Next(refusal.Code, judged.Verdict.Effect);
        var denial =
            (action == Again ? await RequestableAsync(question, judged, policy, cancellationToken) : null)
            ?? new AccessDecisionContext { EvaluatedAt = now };
        return new()
        {
            Decision = false,
            Context = denial with
            {
                Code = refusal.CodeText,
                Reason = reason,
                Detail = refusal.Detail,
                // Without something to request by, there is nothing to do.
                NextAction = action == Again && denial.AccessRequest is null ? Never : action,
                RetryAfter = action == Later ? (int)ApprovalRequests.PollInterval.TotalSeconds : null,
            },
        };
    }

    /// <summary>The profile's word for why an approval does not help, and what is to be done.</summary>
    private static (string Reason, string Action) Next(RefusalCode code, PolicyEffect effect) =>
        code switch
        {
            RefusalCode.ApprovalNotFound => ("approval_unverifiable", Never),
            RefusalCode.ApprovalPending => ("approval_pending", Later),
            RefusalCode.ApprovalDenied => ("approval_denied", Never),
            RefusalCode.ExecutorOnly => ("executor_only", Never),
            RefusalCode.ApprovalExpired or RefusalCode.ApprovalUsed or RefusalCode.ApprovalVoided => (
                "approval_expired",
                Again
            ),
            RefusalCode.ApprovalMismatch when effect == PolicyEffect.Challenge => ("out_of_scope", Again),
            _ => ("policy_denied", Never),
        };

    /// <summary>
    /// What says that people can be asked about the denial, which is remembered; null where they cannot: it is no
    /// challenge, it says too little to be exchanged once they have agreed, or there is no room.
    /// </summary>
    private async ValueTask<AccessDecisionContext?> RequestableAsync(
        AccessQuestion question,
        AccessJudgement judged,
        ActivePolicy policy,
        CancellationToken cancellationToken
    )
    {
        if (
            judged.Verdict.Effect != PolicyEffect.Challenge
            || FaultOfExchange(question) is not null
            || await requests.NoteAsync(judged.Identity, BindingOf(question), policy, cancellationToken)
                is not { } evaluation
        )
        {
            return null;
        }

        var refusal = judged.Verdict.Refusal!;
        return new()
        {
            Code = refusal.CodeText,
            Reason = "approval_required",
            Detail = refusal.Detail,
            EvaluationId = evaluation.Id,
            EvaluatedAt = evaluation.At,
            AccessRequest = new(evaluation.ExpiresAt),
        };
    }

    /// <summary>Why the question, were it approved, could not be exchanged; null where it could.</summary>
    public static Refusal? FaultOfExchange(AccessQuestion question)
    {
        var check = new FieldCheck();
        check.Task(
            new()
            {
                Id = question.Context?.Task ?? "",
                Process = question.Context?.Process ?? "",
                Purpose = question.Context?.Purpose ?? "",
            }
        );
        check.Name("resource.type", question.Resource!.Type);
        check.Name("action.name", question.Action!.Name);
        if (AccessMapping.Request(question).ToolCall is { } call)
        {
            check.ToolCall(new ToolCallDeclaration { Name = call.Name, Arguments = call.Arguments });
        }

        return check.Refusal;
    }
}
