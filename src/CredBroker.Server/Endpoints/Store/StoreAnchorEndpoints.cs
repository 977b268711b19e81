using CredBroker.Client;
using CredBroker.Core.Leases;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Store;

/// <summary>
/// <c>GET /v1/store/anchor</c> and <c>POST /v1/store/anchor/accept</c>: how the store stands to its anchor, and going on
/// with one that is behind it.
/// </summary>
internal static class StoreAnchorEndpoints
{
    /// <summary>So many Vault leases of a credential are named; the others are counted.</summary>
    private const int MostNamed = 100;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/store/anchor", ReadAsync)
            .WithName("readStoreAnchor")
            .WithSummary(
                "How the store stands to its anchor in Vault, and what it does not know where it is behind it."
            )
            .ForRoles(TakenRoles.Readers)
            .Produces<StoreAnchorResponse>();
        routes
            .MapPost("/v1/store/anchor/accept", AcceptAsync)
            .WithName("acceptStore")
            .WithSummary("Goes on with a store that is behind its anchor. Needs the epoch that begins and a reason.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<AcceptStoreRequest>("application/json")
            .Produces<StoreAnchorResponse>();
    }

    private static async Task<IResult> ReadAsync(
        CallingPerson person,
        PeopleActions actions,
        AnchorCheck anchor,
        StrayKill strays,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        var isBehind = anchor.Finding is { IsStoreBehind: true };
        return Answer(anchor, isBehind ? await strays.FindAsync(cancellationToken) : null);
    }

    private static async Task<IResult> AcceptAsync(
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        AnchorCheck anchor,
        PolicyControl policy,
        StrayKill strays,
        StrayRecovery recovery,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.AcceptStoreRequest);
        if (!read.Then(body => FieldCheck.Reasoned(body, body.Reason)).Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        if (!await anchor.AcceptAsync(body.Epoch, body.Reason, admin.Actor, admin.Call, cancellationToken))
        {
            await actions.RecordAsync(admin, cancellationToken);
            return new Refused(
                new(
                    RefusalCode.FieldInvalid,
                    "epoch is not the one as which the store can be accepted; look at GET /v1/store/anchor."
                )
            );
        }

        // From here on nothing is given up: it is accepted. Versions of the policy may be gone, too.
        await policy.RefreshAsync(CancellationToken.None);
        recovery.Again();
        return Answer(anchor, await strays.FindAsync(cancellationToken));
    }

    private static Reply<StoreAnchorResponse> Answer(AnchorCheck anchor, IReadOnlyList<UnknownSecrets>? unknown)
    {
        var finding = anchor.Finding;
        return new(
            StatusCodes.Status200OK,
            new()
            {
                Epoch = finding?.Epoch,
                AnchorEpoch = finding?.AnchorEpoch,
                Missing = [.. finding?.Missing.Select(record => record.ToString()) ?? []],
                AcceptAs = finding is { IsStoreBehind: true } ? finding.NextEpoch : null,
                NotKept = finding?.NotKept,
                KeepsFromIssuing = anchor.Refusal is not null,
                Unknown = unknown
                    ?.Select(secrets => new UnknownSecretsResponse
                    {
                        Credential = secrets.Credential,
                        Count = secrets.VaultLeaseIds?.Count,
                        VaultLeases = [.. secrets.VaultLeaseIds?.Take(MostNamed) ?? []],
                        Why = secrets.VaultLeaseIds is null ? secrets.Why : null,
                    })
                    .ToList(),
            },
            BrokerJson.Default.StoreAnchorResponse
        );
    }
}
