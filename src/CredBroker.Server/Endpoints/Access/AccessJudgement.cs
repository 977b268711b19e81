using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>What policy said to a question, and what it said it to.</summary>
/// <param name="Identity">Whom it was asked for.</param>
/// <param name="Task">The task.</param>
/// <param name="Request">What for.</param>
/// <param name="Verdict">What policy said.</param>
/// <param name="HasProcess">Whether the process was named, or only one admits the subject.</param>
internal sealed record AccessJudgement(
    WorkloadIdentity Identity,
    AgentTask Task,
    CredentialRequest Request,
    Decision Verdict,
    bool HasProcess
)
{
    private static readonly Refusal NoProcess = new(
        RefusalCode.ProcessNotAdmitted,
        "No process, or more than one, admits the subject: name it as context.process."
    );

    /// <summary>The answer, of itself.</summary>
    public AccessDecision Answer() =>
        Verdict.Effect == PolicyEffect.Allow
            ? new() { Decision = true }
            : AccessMapping.Denied(HasProcess ? Verdict.Refusal! : NoProcess);
}
