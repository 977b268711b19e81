using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Tokens;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Access;

/// <summary>All policies, and what a token may do by them.</summary>
internal sealed class DevVaultPolicies
{
    private const string DefaultText = """
        path "auth/token/lookup-self" { capabilities = ["read"] }
        path "auth/token/renew-self" { capabilities = ["update"] }
        path "auth/token/revoke-self" { capabilities = ["update"] }
        path "sys/capabilities-self" { capabilities = ["update"] }
        path "sys/leases/renew" { capabilities = ["update"] }
        path "sys/leases/lookup" { capabilities = ["update"] }
        path "sys/wrapping/wrap" { capabilities = ["update"] }
        path "sys/wrapping/lookup" { capabilities = ["update"] }
        path "sys/wrapping/unwrap" { capabilities = ["update"] }
        """;

    private const string WrappingText = """
        path "sys/wrapping/unwrap" { capabilities = ["update"] }
        """;

    private readonly SortedDictionary<string, AclPolicy> _policies = new(StringComparer.Ordinal);

    public DevVaultPolicies(DateTimeOffset now)
    {
        _policies["default"] = AclPolicy.Parse("default", DefaultText, now, 1);
        _policies["response-wrapping"] = AclPolicy.Parse("response-wrapping", WrappingText, now, 1);
    }

    /// <summary>The names that a listing shows.</summary>
    public IEnumerable<string> Names =>
        _policies.Keys.Where(name => name != "response-wrapping").Append("root").Order(StringComparer.Ordinal);

    public AclPolicy? Find(string name) => _policies.GetValueOrDefault(Key(name));

    public void Put(string name, string text, DateTimeOffset now)
    {
        if (name is "root" or "response-wrapping")
        {
            throw new DevVaultRefusal(400, $"cannot update \"{name}\" policy");
        }

        DevVaultBounds.Check(_policies.Count, DevVaultBounds.Policies, "policies");
        _policies[Key(name)] = AclPolicy.Parse(Key(name), text, now, (Find(name)?.Version ?? 0) + 1);
    }

    public void Remove(string name)
    {
        if (name is "root" or "default" or "response-wrapping")
        {
            throw new DevVaultRefusal(400, $"cannot delete \"{name}\" policy");
        }

        _policies.Remove(Key(name));
    }

    /// <summary>
    /// What the token may do on a path; null for root, which may do everything. A policy that is gone permits nothing.
    /// </summary>
    public PathRule? On(DevVaultToken token, string path, bool listing = false) =>
        token.IsRoot ? null : Of(token).On(path, listing);

    /// <summary>Whether the token may see that there is a mount.</summary>
    public bool Reach(DevVaultToken token, string mount) => token.IsRoot || Of(token).Reaches(mount);

    private AccessControl Of(DevVaultToken token) =>
        new(token.Policies.Select(_policies.GetValueOrDefault).OfType<AclPolicy>());

    private static string Key(string name) => name.ToLowerInvariant();
}
