using CredBroker.Client;
using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Login;

/// <summary>
/// <c>GET /v1/whoami</c>: whom the broker sees in the caller's own token, be it a person's (with or without a role) or an
/// agent's.
/// </summary>
internal static class WhoamiEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/whoami", HandleAsync)
            .WithName("whoami")
            .WithSummary("Whom the broker sees: a person with roles and groups, or an agent and its processes.")
            .ForRoles(TakenRoles.Everybody)
            .Produces<WhoamiResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        PeopleActions actions,
        CallerVerification agents,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        if (http.Features.Get<CallingPerson>() is { } person)
        {
            await actions.RecordAsync(person, cancellationToken);
            return Answer(Describe(person.Person));
        }

        var agent = CallingAgent.Of(http);
        return await agents.VerifyAsync(agent.Proof, agent.Call, cancellationToken) switch
        {
            VerificationOutcome.Verified { Identity: var identity } => Answer(Describe(identity, policy.Current)),
            VerificationOutcome.Refused { Refusal: var refusal } => new Refused(refusal),
            var other => throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}."),
        };
    }

    private static Reply<WhoamiResponse> Answer(WhoamiResponse body) =>
        new(StatusCodes.Status200OK, body, BrokerJson.Default.WhoamiResponse);

    private static WhoamiResponse Describe(Person person) =>
        new()
        {
            TokenExpiresAt = person.ProofExpiresAt,
            Person = new(
                person.Issuer,
                person.Subject,
                [.. person.Roles.Select(KebabCase.Of).Order(StringComparer.Ordinal)],
                person.Groups
            ),
        };

    private static WhoamiResponse Describe(WorkloadIdentity identity, ActivePolicy? policy) =>
        new()
        {
            TokenExpiresAt = identity.ProofExpiresAt,
            Agent = LeaseResponses.Identity(identity, agent: ""),
            Processes = policy is null
                ? null
                :
                [
                    .. policy
                        .Set.Processes.Keys.Order(StringComparer.Ordinal)
                        .Select(process => (Process: process, Admission: policy.Set.Admit(identity, process)))
                        .Where(found => found.Admission.Refusal is null)
                        .Select(found => new WhoamiProcessResponse(found.Process, found.Admission.Agent)),
                ],
        };
}
