using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// <c>GET /v1/policy/versions</c> and <c>GET /v1/policy/versions/{version}</c>: what was applied, whatever is in force.
/// </summary>
internal static class PolicyVersionEndpoints
{
    private const int PageSize = 100;

    private static readonly Refusal NotFound = new(
        RefusalCode.PolicyVersionNotFound,
        "There is no policy version with this number."
    );

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/policy/versions", ListAsync)
            .WithName("listPolicyVersions")
            .WithSummary("Versions of the policy that were applied, newest first.")
            .ForRoles(TakenRoles.Readers)
            .Produces<PolicyVersionListResponse>();
        routes
            .MapGet("/v1/policy/versions/{version}", FindAsync)
            .WithName("readPolicyVersion")
            .WithSummary("One version of the policy, in force or not.")
            .ForRoles(TakenRoles.Readers)
            .Produces<PolicyResponse>();
    }

    private static async Task<IResult> ListAsync(
        CallingPerson person,
        PeopleActions actions,
        IBrokerStore store,
        string? before,
        CancellationToken cancellationToken
    )
    {
        var limit = long.MaxValue;
        if (before is not null && !TryNumber(before, out limit))
        {
            return new Refused(new(RefusalCode.RangeInvalid, "before must be the next of an earlier answer."));
        }

        await actions.RecordAsync(person, cancellationToken);
        var versions = await store.Policies.ListAsync(limit, PageSize, cancellationToken);
        return new Reply<PolicyVersionListResponse>(
            StatusCodes.Status200OK,
            new()
            {
                Versions = [.. versions.Select(PolicyResponses.Describe)],
                Next = versions is [.., { Version: > 1 and var last }] && versions.Count == PageSize ? last : null,
            },
            BrokerJson.Default.PolicyVersionListResponse
        );
    }

    private static async Task<IResult> FindAsync(
        string version,
        CallingPerson person,
        PeopleActions actions,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        return
            !TryNumber(version, out var number)
            || await store.Policies.FindAsync(number, cancellationToken) is not { } found
            ? new Refused(NotFound)
            : new Reply<PolicyResponse>(
                StatusCodes.Status200OK,
                PolicyResponses.Whole(found),
                BrokerJson.Default.PolicyResponse
            );
    }

    private static bool TryNumber(string text, out long number) =>
        long.TryParse(
            text,
            System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture,
            out number
        )
        && number > 0;
}
