using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Sys;

/// <summary><c>sys/leases/</c>. Every end is immediate here, so <c>sync</c> changes nothing.</summary>
internal sealed class LeaseCalls(DevVaultLeases leases)
{
    /// <summary>Answers, or null for a path that is not of leases.</summary>
    public DevVaultReply? Handle(DevVaultCall call)
    {
        if (call.Below("leases/lookup/", out var folder) || call.Path == "leases/lookup/")
        {
            return call.Operation == DevVaultOperation.List
                ? DevVaultReply.Keys(PathListing.Children(leases.Ids, PathListing.Folder(folder)))
                : throw DevVaultRefusal.UnsupportedOperation();
        }

        if (
            (call.Below("leases/revoke-prefix/", out var prefix) || call.Below("leases/revoke-force/", out prefix))
            && call.Writes
        )
        {
            leases.EndBelow(PathListing.Folder(prefix), call.Now);
            return DevVaultReply.NoContent;
        }

        var named =
            call.Below("leases/renew/", out var id) || call.Below("leases/revoke/", out id)
                ? id
                : call.Fields.Text("lease_id");
        return (call.Path.Split('/', 3), call.Writes) switch
        {
            (["leases", "lookup"], true) => DevVaultReply.Of(Find(named, "invalid lease").ToJson(call.Now)),
            (["leases", "renew", ..], true) => Renew(Find(named, "lease not found")),
            (["leases", "revoke", ..], true) => Revoke(call, named),
            _ => null,
        };
    }

    private DevVaultLease Find(string id, string missing) =>
        id.Length == 0
            ? throw new DevVaultRefusal(400, "lease_id must be specified")
            : leases.Find(id) ?? throw new DevVaultRefusal(400, missing);

    private DevVaultReply Revoke(DevVaultCall call, string id)
    {
        if (id.Length == 0)
        {
            throw new DevVaultRefusal(400, "lease_id must be specified");
        }

        if (leases.Find(id) is { } lease)
        {
            leases.End(lease, call.Now);
        }

        return DevVaultReply.NoContent;
    }

    /// <summary>
    /// Nothing that DevVault leases can be renewed here: a certificate cannot, and a token is renewed by its own calls.
    /// </summary>
    private static DevVaultReply Renew(DevVaultLease lease) =>
        throw new DevVaultRefusal(
            400,
            lease.Owner is null ? "tokens cannot be renewed through this endpoint" : "lease is not renewable"
        );
}
