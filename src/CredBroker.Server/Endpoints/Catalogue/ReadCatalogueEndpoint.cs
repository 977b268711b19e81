using CredBroker.Client;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Policy;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Catalogue;

/// <summary><c>GET /v1/catalogue</c>: what the calling agent may ask for, as far as policy says it beforehand.</summary>
internal static class ReadCatalogueEndpoint
{
    /// <summary>The one way there is yet.</summary>
    private static readonly IReadOnlyList<string> Delivery = ["direct"];

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/catalogue", HandleAsync)
            .WithName("readCatalogue")
            .WithSummary(
                "What the caller may ask for: credentials, actions, lives, and whether a person would be asked."
            )
            .Produces<CatalogueResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallerVerification agents,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        var agent = CallingAgent.Of(http);
        switch (await agents.VerifyAsync(agent.Proof, agent.Call, cancellationToken))
        {
            case VerificationOutcome.Refused { Refusal: var refusal }:
                return new Refused(refusal);
            case VerificationOutcome.Verified { Identity: var identity }:
                return policy.Current is { } current
                    ? new Reply<CatalogueResponse>(
                        StatusCodes.Status200OK,
                        new()
                        {
                            PolicyVersion = current.Version,
                            Entries = [.. current.Set.Offers(identity, cancellationToken).Select(Describe)],
                        },
                        BrokerJson.Default.CatalogueResponse
                    )
                    : new Refused(ReadPolicyEndpoint.NoPolicy);
            case var other:
                throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}.");
        }
    }

    private static CatalogueOfferResponse Describe(CatalogueOffer offer) =>
        new()
        {
            Credential = offer.Entry.Name,
            Process = offer.Process.Name,
            Agent = offer.Agent,
            Decision = KebabCase.Of(offer.Outcome),
            Actions = offer.Entry.Actions,
            MaxTtl = offer.MaxTtl,
            Renewable = offer.Entry.Vault.IsRenewable,
            Delivery = Delivery,
            Engine = offer.Entry.Vault.Engine,
            Asks = offer.Asks.Count == 0 ? null : Asks(offer),
            Params = offer.Entry.Params?.ToDictionary(parameter => parameter.Name, parameter => parameter.Pattern),
            DependsOn = offer.DependsOn.Count == 0 ? null : offer.DependsOn,
        };

    /// <summary>Roles and groups by name; people by none, since an agent has no business with them.</summary>
    private static IReadOnlyList<string> Asks(CatalogueOffer offer) =>
        [
            .. offer
                .Asks.SelectMany(demand => demand.Approvers)
                .Select(approver =>
                    approver switch
                    {
                        Approver.Role role => $"role:{role.Name}",
                        Approver.Group group => $"group:{group.Name}",
                        Approver.Person person
                            when person.Issuer == offer.Process.Owner?.Issuer
                                && person.Subject == offer.Process.Owner?.Subject => "owner",
                        _ => "person",
                    }
                )
                .Distinct(),
        ];
}
