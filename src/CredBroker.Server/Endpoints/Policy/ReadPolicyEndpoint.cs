using CredBroker.Client;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary><c>GET /v1/policy</c>: the policy in force, and the faults of a newer edit that was refused.</summary>
internal static class ReadPolicyEndpoint
{
    public static readonly Refusal NoPolicy = new(
        RefusalCode.PolicyMissing,
        "No policy is in force.",
        TimeSpan.FromSeconds(30)
    );

    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/policy", HandleAsync)
            .WithName("readPolicy")
            .WithSummary("The policy in force.")
            .ForRoles(TakenRoles.Readers)
            .Produces<PolicyResponse>();

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        if (policy.Current is not { } active)
        {
            return new Refused(
                policy.LastFaults.Count == 0
                    ? NoPolicy
                    : NoPolicy with
                    {
                        Detail = $"No policy is in force: {string.Join(" ", policy.LastFaults)}",
                    }
            );
        }

        return PolicyResponses.Reply(http, policy, active);
    }
}
