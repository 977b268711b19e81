using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// Decides the complete questions of one call: of the caller's own identity, or of those that a person supposes. What
/// several questions have in common is made once.
/// </summary>
/// <param name="policy">The policy in force.</param>
/// <param name="caller">The agent that asks; null where a person does.</param>
internal sealed class AccessDecider(PolicySet policy, WorkloadIdentity? caller)
{
    private static readonly Refusal ForOthers = new(
        RefusalCode.RoleMissing,
        "An agent asks for itself: subject.type is \"agent\", subject.id the subject of its own token. "
            + "To ask for others takes a person with the role viewer, auditor or admin."
    );

    private (AccessSubject Of, Asked Asked)? _asked;
    private (AccessAction Action, AccessResource Resource, ToolCall? Call)? _call;

    /// <summary>What policy says; a refusal where the question may not be put at all.</summary>
    public Checked<AccessDecision> Decide(AccessQuestion question)
    {
        var subject = question.Subject!;
        if (
            caller is not null
            && (subject.Type != AccessMapping.Agent || (subject.Id != caller.Subject && subject.Id != caller.SpiffeId))
        )
        {
            return ForOthers;
        }

        if (!AskedBy(subject).Passes(out var asked, out var fault))
        {
            return fault;
        }

        var context = question.Context;
        var process = context?.Process ?? asked.OnlyProcess(policy);
        var decision = policy.EvaluateInForce(
            asked.Identity,
            new AgentTask(context?.Task ?? "", process ?? "", context?.Purpose ?? ""),
            new()
            {
                Credential = question.Resource!.Type!,
                Actions = [question.Action!.Name!],
                Resource = question.Resource.Id!,
                ToolCall = CallOf(question.Action, question.Resource),
            }
        );
        return decision.Effect == PolicyEffect.Allow
            ? new AccessDecision { Decision = true }
            : AccessMapping.Denied(
                process is null
                    ? new(
                        RefusalCode.ProcessNotAdmitted,
                        "No process, or more than one, admits the subject: name it as context.process."
                    )
                    : decision.Refusal!
            );
    }

    private Checked<Asked> AskedBy(AccessSubject subject)
    {
        // An agent asks for itself, whatever words it has for that.
        if (_asked is { } last && (caller is not null || ReferenceEquals(last.Of, subject)))
        {
            return last.Asked;
        }

        var known = caller is null ? AccessMapping.Supposed(subject) : caller;
        if (!known.Passes(out var identity, out var fault))
        {
            return fault;
        }

        var asked = new Asked(identity);
        _asked = (subject, asked);
        return asked;
    }

    private ToolCall? CallOf(AccessAction action, AccessResource resource)
    {
        if (_call is { } last && ReferenceEquals(last.Action, action) && ReferenceEquals(last.Resource, resource))
        {
            return last.Call;
        }

        var call = AccessMapping.ToolCall(action, resource);
        _call = (action, resource, call);
        return call;
    }

    private sealed class Asked(WorkloadIdentity identity)
    {
        private bool _isKnown;
        private string? _onlyProcess;

        public WorkloadIdentity Identity => identity;

        /// <summary>The one process that admits the identity; null where none or more than one does.</summary>
        public string? OnlyProcess(PolicySet policy)
        {
            if (!_isKnown)
            {
                var admitting = policy
                    .Processes.Keys.Where(process => policy.Admit(identity, process).Refusal is null)
                    .Take(2)
                    .ToList();
                _onlyProcess = admitting is [var only] ? only : null;
                _isKnown = true;
            }

            return _onlyProcess;
        }
    }
}
