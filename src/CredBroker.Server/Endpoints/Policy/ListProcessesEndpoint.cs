using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Leases;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Policy;

/// <summary>
/// <c>GET /v1/processes</c>: every process, who answers for it, and whether its agents may act on their own.
/// </summary>
internal static class ListProcessesEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes
            .MapGet("/v1/processes", HandleAsync)
            .WithName("listProcesses")
            .WithSummary("Every business process: owner, agents, mode and why.")
            .ForRoles(TakenRoles.Readers)
            .Produces<ProcessListResponse>();

    private static async Task<IResult> HandleAsync(
        CallingPerson person,
        PeopleActions actions,
        PolicyControl policy,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        return policy.Current is not { } current
            ? new Refused(ReadPolicyEndpoint.NoPolicy)
            : new Reply<ProcessListResponse>(
                StatusCodes.Status200OK,
                new()
                {
                    Processes =
                    [
                        .. current
                            .Set.Processes.Values.OrderBy(process => process.Name, StringComparer.Ordinal)
                            .Select(Describe),
                    ],
                },
                BrokerJson.Default.ProcessListResponse
            );
    }

    private static ProcessResponse Describe(BusinessProcess process) =>
        new()
        {
            Name = process.Name,
            Owner = LeaseResponses.Owner(process.Owner),
            Agents = process.Agents,
            ToleratesRuntimeAction = process.ToleratesRuntimeAction,
            AcceptsUnrevocable = process.AcceptsUnrevocable.Count == 0 ? null : process.AcceptsUnrevocable,
            OwnerGone = process.IsOwnerGone ? true : null,
            OnOwnerGone = process.RevokesWhenOwnerGoes ? "revoke" : null,
            Mode = process is { ToleratesRuntimeAction: true, HasOwner: true } ? "autonomous" : "constrained",
            Why = (process.ToleratesRuntimeAction, process.HasOwner) switch
            {
                (true, true) => "It tolerates runtime action and has an owner; "
                    + "an identity without an instance is constrained all the same.",
                (false, true) => "It does not tolerate runtime action.",
                (true, false) => $"{NoOwner(process)}.",
                (false, false) => $"It does not tolerate runtime action. {NoOwner(process)}.",
            },
        };

    private static string NoOwner(BusinessProcess process) =>
        process.IsOwnerGone ? "Its owner is gone" : "Nobody is named as its owner";
}
