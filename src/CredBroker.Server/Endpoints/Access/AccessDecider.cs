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
    private (AccessSubject Of, Asked Asked)? _asked;
    private (AccessAction Action, AccessResource Resource, ToolCall? Call)? _call;

    /// <summary>What policy says; a refusal where the question may not be put at all.</summary>
    public Checked<AccessDecision> Decide(AccessQuestion question) =>
        Judge(question).Then(judged => (Checked<AccessDecision>)judged.Answer());

    /// <summary>The same, with all that it was decided from.</summary>
    public Checked<AccessJudgement> Judge(AccessQuestion question)
    {
        if (caller is not null && AccessMapping.FaultOfSelf(question, caller) is { } others)
        {
            return others;
        }

        if (!AskedBy(question.Subject!).Passes(out var asked, out var fault))
        {
            return fault;
        }

        var process = question.Context?.Process ?? asked.OnlyProcess(policy);
        var task = AccessMapping.Task(question, process);
        var request = AccessMapping.Request(question, CallOf(question.Action!, question.Resource!));
        return new AccessJudgement(
            asked.Identity,
            task,
            request,
            policy.EvaluateInForce(asked.Identity, task, request),
            HasProcess: process is not null
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
