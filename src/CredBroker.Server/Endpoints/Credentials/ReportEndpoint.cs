using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary>
/// <c>POST /v1/credentials/{leaseId}/outcome</c>: what the agent says it did with the secret; joins the audit trail.
/// </summary>
internal static class ReportEndpoint
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
        var agent = CallingAgent.Of(http);
        var body = await RequestBody.ReadAsync(http, BrokerJson.Strict.ReportRequest);
        if (!body.Then(Bind).Passes(out var report, out var refusal))
        {
            return new Unbound(refusal);
        }

        return CredentialReplies.Of(
            await leases.ReportAsync(agent.Proof, leaseId, report, agent.Call, cancellationToken),
            _ => Results.NoContent()
        );
    }

    private static Checked<TaskReport> Bind(ReportRequest body)
    {
        var check = new FieldCheck();
        check.Require(
            body.Status is "succeeded" or "failed" or "abandoned",
            "status must be \"succeeded\", \"failed\" or \"abandoned\"."
        );
        check.Text("summary", body.Summary, MaxSummary);
        check.ToolCall(body.ToolCall);
        return check.Of(new TaskReport(body.Status, body.Summary ?? "", Declared.ToolCall(body.ToolCall)));
    }
}
