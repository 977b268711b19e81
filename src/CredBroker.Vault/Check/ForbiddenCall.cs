using CredBroker.Core.Policy;

namespace CredBroker.Vault.Check;

/// <summary>A call that the broker's own token must not be able to make: Vault answers 403.</summary>
/// <param name="Method">The method; LIST is Vault's own.</param>
/// <param name="Path">Below <c>/v1/</c>.</param>
/// <param name="Capability">What Vault calls the right to make it.</param>
/// <param name="Why">What the broker could do if it were able to.</param>
public sealed record ForbiddenCall(string Method, string Path, string Capability, string Why)
{
    private const string OtherValue = "secret/data/credbroker-check";

    /// <summary>Everything that a stolen broker token must not be good for, for this catalogue.</summary>
    public static IReadOnlyList<ForbiddenCall> For(string installation, IEnumerable<CatalogueEntry> catalogue)
    {
        var names = new VaultNames(installation);
        List<ForbiddenCall> calls =
        [
            new("POST", $"sys/policies/acl/{names.Broker}", "update", "widen its own policy"),
            new("POST", $"sys/policies/acl/{names.Probe}", "update", "widen the policy of the tokens that it makes"),
            new("POST", "auth/token/create", "update", "make tokens outside the listed roles"),
            new("POST", "auth/token/create-orphan", "update", "make tokens outside the listed roles"),
            new("POST", $"auth/token/create/{names.Broker}", "update", "make itself tokens that outlive a rotation"),
            new("POST", $"auth/token/roles/{names.Probe}", "update", "widen the token roles that it uses"),
            new("LIST", "auth/token/accessors", "list", "find everybody's tokens"),
            new("POST", "auth/token/revoke", "update", "revoke a token by its value"),
            new("POST", "auth/token/revoke-orphan", "update", "set children free"),
            new("DELETE", VaultPaths.AnchorHistory(names), "delete", "hide that its store was put back"),
            new("POST", "sys/mounts/credbroker-check", "update", "mount an engine"),
            new("GET", "sys/mounts", "read", "see what else Vault holds"),
            new("POST", "sys/auth/credbroker-check", "update", "add a way to log in"),
            new("GET", "sys/audit", "read", "see or switch off the audit log"),
            new("POST", "sys/seal", "update", "stop Vault"),
            new("GET", "sys/raw/core/keyring", "read", "read Vault's own storage"),
            new("POST", "sys/leases/revoke-prefix/auth", "update", "end everybody's sessions"),
            new("POST", "sys/leases/revoke-force/auth", "update", "forget leases without revoking them"),
            new("LIST", "sys/leases/lookup/auth/", "list", "see everybody's logins"),
            new("LIST", "identity/entity/id", "list", "see other identities"),
        ];
        var vaults = catalogue.Select(entry => entry.Vault).Distinct().ToList();
        // Where an entry's parameter leads there, it is not outside.
        if (!vaults.Exists(vault => VaultPaths.Sample(vault) == OtherValue))
        {
            calls.Add(new("GET", OtherValue, "read", "read a KV value outside the catalogue"));
        }

        foreach (var vault in vaults)
        {
            calls.AddRange(For(vault));
        }

        return [.. calls.DistinctBy(call => (call.Method, call.Path))];
    }

    private static IEnumerable<ForbiddenCall> For(VaultBinding vault) =>
        vault switch
        {
            VaultBinding.Database database =>
            [
                new("GET", VaultPaths.Mint(database), "read", "make a user that hangs on its own token"),
                new("GET", VaultPaths.Reap(database), "read", "remove users under a token that is not theirs"),
                new("POST", $"{database.Mount}/roles/{database.Role}", "update", "change what users may do"),
                new("GET", $"{database.Mount}/config/credbroker-check", "read", "see connections"),
                new(
                    "POST",
                    $"{database.Mount}/rotate-root/credbroker-check",
                    "update",
                    "take the database's administrator away"
                ),
            ],
            VaultBinding.Pki pki =>
            [
                new("POST", VaultPaths.Mint(pki), "update", "sign certificates that hang on its own token"),
                new("POST", $"{pki.Mount}/roles/{pki.Role}", "update", "allow other names"),
                new("POST", $"{pki.Mount}/sign-verbatim", "update", "sign any name"),
                new("POST", $"{pki.Mount}/root/generate/exported", "update", "make an authority and take its key"),
            ],
            VaultBinding.KeyValue kv =>
            [
                new("POST", VaultPaths.Sample(kv), "update", "change the value"),
                new("DELETE", VaultPaths.Sample(kv), "delete", "delete the value"),
                new("LIST", $"{kv.Mount}/metadata/", "list", "see what other values there are"),
            ],
            VaultBinding.Token token =>
            [
                new("POST", VaultPaths.Mint(token), "update", "make tokens that hang on its own token"),
            ],
            VaultBinding.Dynamic { Method: "GET" } dynamic =>
            [
                new("GET", dynamic.Path, "read", "make a secret that hangs on its own token"),
            ],
            _ => [new("POST", VaultPaths.Mint(vault), "update", "make a secret that hangs on its own token")],
        };
}
