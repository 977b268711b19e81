namespace CredBroker.Server.Dev.VaultApi;

/// <summary><c>sys/leases/</c>. Every end is immediate here, so <c>sync</c> changes nothing.</summary>
internal sealed class SystemLeases(LeaseStore leases)
{
    /// <summary>Answers, or null for a path that is not of leases.</summary>
    public VaultReply? Handle(VaultCall call)
    {
        if (call.Below("leases/lookup/", out var folder) || call.Path == "leases/lookup/")
        {
            return call.Operation == Operation.List
                ? VaultReply.Keys(Listing.Children(leases.Ids, Listing.Folder(folder)))
                : throw VaultRefusal.UnsupportedOperation();
        }

        if (
            (call.Below("leases/revoke-prefix/", out var prefix) || call.Below("leases/revoke-force/", out prefix))
            && call.Writes
        )
        {
            leases.EndBelow(Listing.Folder(prefix), call.Now);
            return VaultReply.NoContent;
        }

        var named =
            call.Below("leases/renew/", out var id) || call.Below("leases/revoke/", out id)
                ? id
                : call.Fields.Text("lease_id");
        return (call.Path.Split('/', 3), call.Writes) switch
        {
            (["leases", "lookup"], true) => VaultReply.Of(Find(named, "invalid lease").ToJson(call.Now)),
            (["leases", "renew", ..], true) => Renew(Find(named, "lease not found")),
            (["leases", "revoke", ..], true) => Revoke(call, named),
            _ => null,
        };
    }

    private LeaseEntry Find(string id, string missing) =>
        id.Length == 0
            ? throw new VaultRefusal(400, "lease_id must be specified")
            : leases.Find(id) ?? throw new VaultRefusal(400, missing);

    private VaultReply Revoke(VaultCall call, string id)
    {
        if (id.Length == 0)
        {
            throw new VaultRefusal(400, "lease_id must be specified");
        }

        if (leases.Find(id) is { } lease)
        {
            leases.End(lease, call.Now);
        }

        return VaultReply.NoContent;
    }

    /// <summary>
    /// Nothing that DevVault leases can be renewed here: a certificate cannot, and a token is renewed by its own calls.
    /// </summary>
    private static VaultReply Renew(LeaseEntry lease) =>
        throw new VaultRefusal(
            400,
            lease.Owner is null ? "tokens cannot be renewed through this endpoint" : "lease is not renewable"
        );
}
