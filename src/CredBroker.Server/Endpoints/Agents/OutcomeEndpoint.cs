using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Server.Endpoints.Input;

namespace CredBroker.Server.Endpoints.Agents;

/// <summary>
/// <c>POST /v1/credentials/{leaseId}/outcome</c>: what the agent says it did with the secret; joins the audit trail.
/// </summary>
internal static class OutcomeEndpoint
{
    private const int MaxSummary = 2000;

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/credentials/{leaseId}/outcome", HandleAsync)
            .WithName("reportOutcome")
            .WithSummary("Records what was done with a secret, as the agent's statement.")
            .Accepts<ReportRequest>("application/json")
            .Produces(StatusCodes.Status204NoContent);

    private static async Task<IResult> HandleAsync(
        string leaseId,
        HttpContext http,
        AgentLeases leases,
        CancellationToken cancellationToken
    )
    {
        var (proof, body, refusal) = await AgentCall.ReadAsync(http, BrokerJson.Strict.ReportRequest);
        if (body is not null)
        {
            var check = new FieldCheck();
            check.Require(
                body.Status is "succeeded" or "failed" or "abandoned",
                "status must be \"succeeded\", \"failed\" or \"abandoned\"."
            );
            check.Text("summary", body.Summary, MaxSummary);
            check.ToolCall(body.ToolCall);
            refusal = check.Refusal;
        }

        if (refusal is not null)
        {
            return await AgentCall.RefuseAsync(http, refusal);
        }

        var report = new TaskOutcome(body!.Status, body.Summary ?? "", Requests.ToolCall(body.ToolCall));
        return AgentCall.Reply(
            await leases.ReportOutcomeAsync(proof!, leaseId, report, Calls.Context(http), cancellationToken),
            _ => Results.NoContent()
        );
    }
}
