using CredBroker.Client;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;

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
            .Produces<ExchangeResponse>(StatusCodes.Status201Created);

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CredentialExchange exchange,
        Telemetry telemetry,
        CancellationToken cancellationToken
    )
    {
        var (proof, body, refusal) = await CallingAgent.ReadAsync(http, BrokerJson.Strict.ExchangeRequest);
        var command = default(ExchangeCommand);
        if (refusal is null)
        {
            (command, refusal) = Bind(proof!, body!, RequestOrigin.Of(http));
        }

        if (refusal is not null)
        {
            return await CallingAgent.RefuseAsync(http, refusal);
        }

        using var measure = telemetry.Exchange(command!.Request.Credential);
        switch (await exchange.ExchangeAsync(command, cancellationToken))
        {
            case ExchangeOutcome.Issued issued:
                measure.End("issued", issued.Lease.Id, issued.Lease.Decision.Id);
                return new Reply<ExchangeResponse>(
                    StatusCodes.Status201Created,
                    SecretResponses.Issued(issued),
                    BrokerJson.Default.ExchangeResponse
                );
            case ExchangeOutcome.Refused refused:
                measure.End(refused.Refusal.CodeText, null, refused.DecisionId);
                return new Problem(refused.Refusal, refused.DecisionId);
            case var other:
                throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
        }
    }

    private static (ExchangeCommand? Command, Refusal? Refusal) Bind(
        IdentityProof proof,
        ExchangeRequest body,
        CallContext call
    )
    {
        var check = new FieldCheck();
        check.Task(body.Task);
        check.Name("credential", body.Credential);
        check.Actions(body.Actions);
        check.Text("resource", body.Resource, FieldCheck.MaxPurpose);
        check.Ttl(body.Ttl);
        check.Require(
            body.Delivery is null or "direct",
            "delivery must be \"direct\"; this broker knows no other way yet."
        );
        check.ToolCall(body.ToolCall);
        check.IdempotencyKey(body.IdempotencyKey);
        if (check.Refusal is { } refusal)
        {
            return (null, refusal);
        }

        var csr = default(CertificateSigningRequest);
        if (body.Csr is not null)
        {
            (csr, var fault) = SigningRequest.Parse(body.Csr);
            if (fault is not null)
            {
                return (null, new(RefusalCode.CsrInvalid, fault));
            }
        }

        var command = new ExchangeCommand
        {
            Proof = proof,
            Task = Declared.Task(body.Task),
            Request = new()
            {
                Credential = body.Credential,
                Actions = body.Actions,
                Resource = body.Resource ?? "",
                Ttl = body.Ttl,
                Csr = body.Csr,
                ToolCall = Declared.ToolCall(body.ToolCall),
            },
            Csr = csr,
            IdempotencyKey = body.IdempotencyKey,
            Call = call,
        };
        return (command, null);
    }
}
