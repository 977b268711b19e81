using CredBroker.Client;
using CredBroker.Core.Approvals;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Approvals;

/// <summary><c>GET /v1/requests/{approvalId}</c>: where a question to people stands, for the one who asked.</summary>
internal static class FindRequestEndpoint
{
    private static readonly Refusal WaitInvalid = new(
        RefusalCode.FieldInvalid,
        $"wait must be a duration such as 30s; longer than {ApprovalRequests.MaxWait.TotalSeconds:0}s is cut."
    );

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/requests/{approvalId}", HandleAsync)
            .WithName("findRequest")
            .WithSummary("Where a request for approval stands; with wait, as soon as it is decided.")
            .Produces<ApprovalStatusResponse>();

    private static async Task<IResult> HandleAsync(
        string approvalId,
        string? wait,
        HttpContext http,
        ApprovalRequests requests,
        CancellationToken cancellationToken
    )
    {
        var waits = TimeSpan.Zero;
        if (wait is not null && (!WireDuration.TryParse(wait, out waits) || waits < TimeSpan.Zero))
        {
            return new Refused(WaitInvalid);
        }

        var agent = CallingAgent.Of(http);
        var found = await requests.FindAsync(agent.Proof, approvalId, waits, agent.Call, cancellationToken);
        return found.Passes(out var status, out var refusal)
            ? new Reply<ApprovalStatusResponse>(
                StatusCodes.Status200OK,
                Of(status),
                BrokerJson.Default.ApprovalStatusResponse
            )
            : new Refused(refusal);
    }

    private static ApprovalStatusResponse Of(ApprovalStatus status) =>
        new()
        {
            ApprovalId = status.Approval.Id,
            Status = status.State switch
            {
                ApprovalState.Pending when status.IsTooSoon => ApprovalStatuses.SlowDown,
                ApprovalState.Pending => ApprovalStatuses.Pending,
                ApprovalState.Approved => ApprovalStatuses.Approved,
                ApprovalState.Redeemed => ApprovalStatuses.Redeemed,
                ApprovalState.Expired => ApprovalStatuses.Expired,
                _ => ApprovalStatuses.Denied,
            },
            Interval = status.Interval,
            ExpiresAt = status.Approval.ExpiresAt,
            Reason = status.Approval.Reason.Length == 0 ? null : status.Approval.Reason,
            Executor = status.Approval.Executor.Length == 0 ? null : status.Approval.Executor,
            Outcome = status.Approval.Outcome is { } outcome
                ? new()
                {
                    Status = outcome.Status,
                    Summary = outcome.Summary.Length == 0 ? null : outcome.Summary,
                    AsApproved = outcome.IsAsDeclared,
                    ReportedAt = outcome.At,
                }
                : null,
        };
}
