using CredBroker.Core.Issuing;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault;

/// <summary>Lists Vault's own leases under a path, and looks one up.</summary>
internal sealed class VaultLeases(VaultSession session, VaultOptions options)
{
    private static readonly LeaseListing.Failed NoList = new("Vault's list of leases is not one");

    /// <summary>
    /// The leases directly below the path. A list that may be incomplete is none: absence is proven from it.
    /// </summary>
    public async ValueTask<LeaseListing> ListAsync(
        string prefix,
        VaultProof proof,
        CancellationToken cancellationToken
    ) =>
        await NamesAsync(prefix, proof, cancellationToken) switch
        {
            (null, var failed) => failed,
            ({ } names, _) when names.Any(name => name.EndsWith('/')) => NoList,
            ({ } names, _) => new LeaseListing.Listed([.. names.Select(name => $"{prefix}/{name}")]),
        };

    /// <summary>
    /// The names directly below the path (everything for an empty one), those of folders with a slash at the end; or why
    /// there are none.
    /// </summary>
    public async ValueTask<(IReadOnlyList<string>? Names, LeaseListing.Failed Failed)> NamesAsync(
        string prefix,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        var reply = await session.SendAsync(
            new(VaultCall.List, $"sys/leases/lookup/{(prefix.Length == 0 ? "" : prefix + "/")}")
            {
                Timeout = options.CallTimeout,
            },
            proof.SendAsync,
            cancellationToken
        );
        return reply switch
        {
            // Vault's own "nothing there" is an empty list of errors; a proxy's 404 proves nothing.
            VaultReply.Declined { Status: 404, Words: "" } => ([], NoList),
            VaultReply.Done { Body: var body } when body.As(VaultJson.Default.ListedKeys) is { } listed => (
                [.. listed.Keys],
                NoList
            ),
            VaultReply.Done => (null, NoList),
            _ => (null, new(reply.Why) { IsForbidden = reply is VaultReply.Declined { Status: 403 } }),
        };
    }

    /// <summary>One lease, as the node knows it.</summary>
    public async ValueTask<LeaseLookup> LookUpAsync(
        string leaseId,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        var body = VaultBodies.Of(new LookupLeaseRequest(leaseId), VaultJson.Default.LookupLeaseRequest);
        var call = new VaultCall(HttpMethod.Post, "sys/leases/lookup") { Body = body, Timeout = options.CallTimeout };
        return await session.SendAsync(call, proof.SendAsync, cancellationToken) switch
        {
            VaultReply.Done { Body: var found } when found.As(VaultJson.Default.LeaseFacts) is { } facts =>
                new LeaseLookup.Found(
                    new(leaseId, facts.IssueTime, facts.Ttl <= 0, VaultTransport.OneLine(facts.RevokeError ?? ""))
                ),
            VaultReply.Done => new LeaseLookup.Failed("Vault's answer about a lease holds none"),
            VaultReply.Declined { Status: 400 } declined
                when declined.Words.Contains("invalid lease", StringComparison.OrdinalIgnoreCase) =>
                new LeaseLookup.Gone(),
            VaultReply.Declined { Status: 404, Words: "" } => new LeaseLookup.Gone(),
            var other => new LeaseLookup.Failed(other.Why),
        };
    }
}
