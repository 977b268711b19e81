using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>The envelope that every event of a question has.</summary>
internal static class ApprovalEvents
{
    public static AuditEvent Of(AuditFact what, DecisionRecord decision, AuditActor actor, string? traceId) =>
        new()
        {
            What = what,
            Actor = actor,
            DecisionId = decision.Id,
            Process = decision.Task.Process,
            TaskId = decision.Task.Id,
            Credential = decision.Request.Credential,
            Holder = DecisionFacts.Holder(decision),
            TraceId = traceId,
        };
}
