using System.Diagnostics;
using CredBroker.Client;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Exchange;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Approvals;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Credentials;

/// <summary><c>POST /v1/credentials</c>: identity in, short-lived secret out.</summary>
internal static class ExchangeEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapPost("/v1/credentials", HandleAsync)
            .WithName("exchange")
            .WithSummary("Exchanges an identity token for the short-lived secret that one task needs.")
            .Accepts<ExchangeRequest>("application/json")
            .Produces<ExchangeResponse>(StatusCodes.Status201Created)
            .Produces<ApprovalRequestResponse>(StatusCodes.Status202Accepted);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CredentialExchange exchange,
        CancellationToken cancellationToken
    )
    {
        var agent = CallingAgent.Of(http);
        var body = await RequestBody.ReadAsync(http, BrokerJson.Strict.ExchangeRequest);
        if (!body.Then(request => Bind(agent, request)).Passes(out var command, out var refusal))
        {
            return new Unbound(refusal);
        }

        using var span = Telemetry.Start("credbroker.exchange");
        var started = Stopwatch.GetTimestamp();
        switch (await exchange.ExchangeAsync(command, cancellationToken))
        {
            case ExchangeOutcome.Issued issued:
                span?.SetTag("credbroker.lease_id", issued.Lease.Id);
                End("issued", issued.Lease.Decision.Request.Credential, issued.Lease.Decision.Id);
                return new Reply<ExchangeResponse>(
                    StatusCodes.Status201Created,
                    SecretResponses.Issued(issued),
                    BrokerJson.Default.ExchangeResponse
                );
            case ExchangeOutcome.Challenged { Approval: var approval }:
                End("challenged", approval.Decision.Request.Credential, approval.Decision.Id);
                return ApprovalResponses.Challenged(approval);
            case ExchangeOutcome.Refused refused:
                End(refused.Refusal.CodeText, null, refused.DecisionId);
                return new Refused(refused.Refusal, refused.DecisionId);
            case var other:
                throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
        }

        // The credential only where it is one: until then it is whatever the caller wrote, known or not.
        void End(string outcome, string? credential, string? decisionId)
        {
            span?.SetTag("credbroker.outcome", outcome)
                .SetTag("credbroker.credential", credential)
                .SetTag("credbroker.decision_id", decisionId);
            Telemetry.Exchanged(outcome, started);
        }
    }

    private static Checked<ExchangeCommand> Bind(CallingAgent agent, ExchangeRequest body)
    {
        var check = new FieldCheck();
        check.Task(body.Task);
        check.Name("credential", body.Credential);
        check.Actions(body.Actions);
        check.Text("resource", body.Resource, FieldCheck.MaxPurpose);
        check.Params(body.Params);
        check.Ttl(body.Ttl);
        check.Require(
            body.Delivery is null or "direct",
            "delivery must be \"direct\"; this broker knows no other way yet."
        );
        check.ToolCall(body.ToolCall);
        check.IdempotencyKey(body.IdempotencyKey);
        check.OptionalId("approvalId", body.ApprovalId);

        var form = check.Of(body);

        // The CSR comes last: its signature costs more to check than all the rest.
        return body.Csr is { } pem
            ? form.Then(_ => SigningRequest.Parse(pem)).Then(csr => Command(agent, body, csr))
            : form.Then(_ => Command(agent, body, csr: null));
    }

    private static Checked<ExchangeCommand> Command(
        CallingAgent agent,
        ExchangeRequest body,
        CertificateSigningRequest? csr
    ) =>
        new ExchangeCommand
        {
            Proof = agent.Proof,
            Task = Declared.Task(body.Task),
            Request = new()
            {
                Credential = body.Credential,
                Actions = body.Actions,
                Resource = body.Resource ?? "",
                Params = Declared.Params(body.Params),
                Ttl = body.Ttl,
                Csr = body.Csr,
                ToolCall = Declared.ToolCall(body.ToolCall),
            },
            Csr = csr,
            IdempotencyKey = body.IdempotencyKey,
            ApprovalId = body.ApprovalId,
            Call = agent.Call,
        };
}
