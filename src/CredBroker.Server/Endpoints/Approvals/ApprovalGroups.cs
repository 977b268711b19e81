using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Policy;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary>Groups of questions as the API shows them: a card with what all share, and of each what may differ.</summary>
internal static class ApprovalGroups
{
    private static readonly (string Name, Func<GroupedApprovalResponse, string> Value)[] MayDiffer =
    [
        ("requester", request => JsonSerializer.Serialize(request.Requester, BrokerJson.Default.IdentityResponse)),
        ("task", request => request.Task),
        ("actions", request => string.Join(',', request.Actions)),
        ("ttl", request => WireDuration.Format(request.Ttl)),
        ("purpose", request => request.Statements.Purpose),
        ("resource", request => request.Statements.Resource ?? ""),
        ("arguments", Arguments),
    ];

    /// <summary>The card.</summary>
    public static ApprovalGroupResponse Of(ApprovalGroup group, StorePosition now)
    {
        var all = group.Requests.Select(approval => ApprovalResponses.Of(approval, now)).ToList();
        var shared = all[0];
        var requests = all.ConvertAll(One);
        return new()
        {
            GroupId = group.Id,
            Digest = group.Digest,
            Process = shared.Process,
            Owner = shared.Owner,
            Credential = shared.Credential,
            Access = shared.Access,
            Impact = shared.Impact,
            Revocation = shared.Revocation,
            Params = shared.Params,
            Tool = shared.Statements.Tool,
            Rules = shared.Rules,
            Gate = shared.Gate,
            Executor = shared.Executor,
            // When more people are asked is each request's own moment.
            Demands = ApprovalDemands.Describe(group.Requests[0].Decision.Verdict),
            Differs =
            [
                .. MayDiffer
                    .Where(field => requests.Exists(request => field.Value(request) != field.Value(requests[0])))
                    .Select(field => field.Name),
            ],
            Requests = requests,
        };
    }

    private static GroupedApprovalResponse One(ApprovalResponse approval) =>
        new()
        {
            ApprovalId = approval.ApprovalId,
            Digest = approval.Digest,
            AskedAt = approval.AskedAt,
            ExpiresAt = approval.ExpiresAt,
            Requester = approval.Requester,
            Task = approval.Task,
            Actions = approval.Actions,
            Ttl = approval.Ttl,
            Agreements = approval.Agreements,
            Statements = approval.Statements,
        };

    private static string Arguments(GroupedApprovalResponse request) =>
        JsonSerializer.Serialize(
            request.Statements with
            {
                Purpose = "",
                Resource = null,
            },
            BrokerJson.Default.ApprovalStatementsResponse
        );
}
