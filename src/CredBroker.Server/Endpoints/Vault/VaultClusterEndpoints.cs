using CredBroker.Client;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Vault;

/// <summary>
/// <c>GET /v1/vault/cluster</c> and <c>POST /v1/vault/cluster/accept</c>: which cluster of Vault is believed and which
/// one answers, and believing that one.
/// </summary>
internal static class VaultClusterEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/v1/vault/cluster", ReadAsync)
            .WithName("readVaultCluster")
            .WithSummary("The cluster of Vault that the broker's secrets are in, and the one that answers.")
            .ForRoles(TakenRoles.Readers)
            .Produces<VaultClusterResponse>();
        routes
            .MapPost("/v1/vault/cluster/accept", AcceptAsync)
            .WithName("acceptVaultCluster")
            .WithSummary("Believes the cluster of Vault that answers. Needs its name and a reason.")
            .ForRoles(TakenRoles.Admins)
            .Accepts<AcceptVaultClusterRequest>("application/json")
            .Produces<VaultClusterResponse>();
    }

    private static async Task<IResult> ReadAsync(
        CallingPerson person,
        PeopleActions actions,
        VaultCluster cluster,
        CancellationToken cancellationToken
    )
    {
        await actions.RecordAsync(person, cancellationToken);
        return Answer(cluster);
    }

    private static async Task<IResult> AcceptAsync(
        HttpContext http,
        CallingPerson admin,
        PeopleActions actions,
        ISecretIssuer issuer,
        ClusterMemory memory,
        AnchorCheck anchor,
        StrayRecovery recovery,
        VaultCluster cluster,
        CancellationToken cancellationToken
    )
    {
        var read = await RequestBody.ReadAsync(http, BrokerJson.Strict.AcceptVaultClusterRequest);
        if (!read.Passes(out var body, out var fault))
        {
            return new Refused(fault);
        }

        var check = new FieldCheck();
        check.Require(!string.IsNullOrWhiteSpace(body.Cluster), "cluster must name the cluster that is accepted.");
        check.Text("cluster", body.Cluster, FieldCheck.MaxName);
        check.Require(!string.IsNullOrWhiteSpace(body.Reason), "reason must say why the cluster is accepted.");
        check.Text("reason", body.Reason, FieldCheck.MaxPurpose);
        if (check.Refusal is { } refusal)
        {
            return new Refused(refusal);
        }

        if (!await memory.AcceptAsync(body.Cluster, body.Reason, admin.Actor, admin.Call, cancellationToken))
        {
            await actions.RecordAsync(admin, cancellationToken);
            return new Refused(
                new(RefusalCode.FieldInvalid, "cluster is not the one that answers; look at GET /v1/vault/cluster.")
            );
        }

        // Its anchor is written anew, and what lives in it again is looked for.
        await anchor.CompareAsync(cancellationToken);
        await issuer.ProbeAsync(cancellationToken);
        recovery.Again();
        return Answer(cluster);
    }

    private static Reply<VaultClusterResponse> Answer(VaultCluster cluster) =>
        new(
            StatusCodes.Status200OK,
            new()
            {
                Accepted = cluster.Accepted?.Id,
                AcceptedInstallation = cluster.Accepted?.Home?.Installation,
                AcceptedNamespace = cluster.Accepted?.Home?.Namespace,
                Installation = cluster.Home?.Installation,
                Namespace = cluster.Home?.Namespace,
                ChangedAt = cluster.Accepted?.ChangedAt,
                Answering = cluster.Seen,
                WentBack = cluster.IsBehind,
                KeepsFromIssuing = cluster.Refusal is not null,
            },
            BrokerJson.Default.VaultClusterResponse
        );
}
