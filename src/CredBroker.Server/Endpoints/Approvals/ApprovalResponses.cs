using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Policy;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary>Questions to people as the API shows them: what the broker knows, and, apart from it, what the agent says.</summary>
internal static class ApprovalResponses
{
    /// <summary>The question, as it stands at this position.</summary>
    public static ApprovalResponse Of(Approval approval, StorePosition now) => Of(approval, approval.StateAt(now));

    /// <summary>The question, said to stand so.</summary>
    public static ApprovalResponse Of(Approval approval, ApprovalState state)
    {
        var (decision, verdict) = (approval.Decision, approval.Decision.Verdict);
        var grant =
            verdict.Grant
            ?? throw new InvalidOperationException($"Nothing would be granted by approval {approval.Id}.");
        return new()
        {
            ApprovalId = approval.Id,
            State = KebabCase.Of(state),
            Digest = approval.Digest,
            AskedAt = approval.AskedAt,
            ExpiresAt = approval.ExpiresAt,
            Requester = LeaseResponses.Identity(decision.Identity, verdict.Agent),
            Process = decision.Task.Process,
            Owner = LeaseResponses.Owner(grant.Process.Owner),
            Task = decision.Task.Id,
            Credential = decision.Request.Credential,
            Access = KebabCase.Of(grant.Entry.Access),
            Impact = KebabCase.Of(grant.Entry.Impact),
            Reversible = grant.Entry.Reversible,
            Revocation = KebabCase.Of(grant.Entry.Vault.Revocation),
            Actions = decision.Request.Actions,
            Params = decision.Request.Params,
            Ttl = grant.Ttl,
            TimeBoxOffered = approval.TimeBoxOffered,
            TimeBox = approval.TimeBox,
            Rules = [.. approval.Demands.Select(demand => demand.RuleId).Where(rule => rule.Length > 0).Distinct()],
            Gate = [.. verdict.Gate.Select(condition => new GateConditionResponse(condition.Name, condition.Holds))],
            Executor = NullIfEmpty(approval.Executor),
            Demands = ApprovalDemands.Describe(approval),
            Agreements = Agreements(approval),
            Statements = new()
            {
                Purpose = decision.Task.Purpose,
                Resource = NullIfEmpty(decision.Request.Resource),
                Tool = decision.Request.ToolCall?.Name,
                Arguments =
                [
                    .. ShownValue
                        .Of(
                            [.. approval.Demands.SelectMany(demand => demand.Show).Distinct()],
                            decision.Request.ToolCall
                        )
                        .Select(Shown),
                ],
            },
            ClosedBy = NullIfEmpty(approval.ClosedBy),
            Reason = NullIfEmpty(approval.Reason),
            LeaseId = approval.LeaseId,
        };
    }

    /// <summary>Who has agreed so far.</summary>
    public static IReadOnlyList<ApprovalAgreementResponse> Agreements(Approval approval) =>
        [
            .. approval.Agreements.Select(agreement => new ApprovalAgreementResponse(
                agreement.Issuer,
                agreement.Subject,
                agreement.At
            )
            {
                TimeBox = agreement.TimeBox,
            }),
        ];

    /// <summary>202: people are asked.</summary>
    public static IResult Challenged(Approval approval) =>
        new Reply<ApprovalRequestResponse>(
            StatusCodes.Status202Accepted,
            new()
            {
                ApprovalId = approval.Id,
                Interval = ApprovalRequests.PollInterval,
                ExpiresAt = approval.ExpiresAt,
                Digest = approval.Digest,
            },
            BrokerJson.Default.ApprovalRequestResponse
        );

    private static ApprovalShownResponse Shown(ShownValue value) =>
        new()
        {
            Label = value.Label,
            Kind = value.Kind,
            Text = NullIfEmpty(value.Text),
            Cut = value.IsCut ? true : null,
            Digest = NullIfEmpty(value.Digest),
        };

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
