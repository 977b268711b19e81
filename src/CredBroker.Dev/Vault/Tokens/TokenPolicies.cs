using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Tokens;

/// <summary>Which policies a new token gets.</summary>
internal static class TokenPolicies
{
    /// <summary>
    /// A role that names policies bounds what may be asked for, and gives them all where nothing is asked. Without one
    /// a child gets no more than its parent has, unless the caller has sudo. <c>default</c> comes on top, unless the
    /// request or the role forgoes it.
    /// </summary>
    public static IReadOnlyList<string> Grant(
        DevVaultFields fields,
        RoleSettings? role,
        DevVaultToken parent,
        bool sudo
    )
    {
        var named = fields.List("policies");
        var asked = Sanitized(named);
        var withDefault = !fields.Flag("no_default_policy") && role?.Flag("token_no_default_policy") is not true;
        List<string> granted;
        if (role is not null && Bounds(role))
        {
            granted = asked.Count > 0 ? asked : Sanitized(role.List("allowed_policies"));
            Check(asked, role);
        }
        else if (named.Count == 0)
        {
            granted = [.. parent.Policies];
            withDefault &= parent.IsRoot || parent.Policies.Contains("default");
        }
        else if (!sudo)
        {
            granted = asked.All(parent.Policies.Contains)
                ? asked
                : throw new DevVaultRefusal(400, "child policies must be subset of parent");
            withDefault &= parent.Policies.Contains("default");
        }
        else
        {
            granted = asked;
        }

        if (granted.Contains("root"))
        {
            return parent.IsRoot
                ? ["root"]
                : throw new DevVaultRefusal(400, "root tokens may not be created without parent token being root");
        }

        return Sanitized(withDefault ? [.. granted, "default"] : granted);
    }

    private static bool Bounds(RoleSettings role) =>
        role.List("allowed_policies").Count > 0
        || role.List("allowed_policies_glob").Count > 0
        || role.List("disallowed_policies").Count > 0
        || role.List("disallowed_policies_glob").Count > 0;

    private static void Check(List<string> asked, RoleSettings role)
    {
        var (allowed, globs) = (Sanitized(role.List("allowed_policies")), role.List("allowed_policies_glob"));
        if (
            (allowed.Count > 0 || globs.Count > 0)
            && !asked.All(policy => allowed.Contains(policy) || policy == "default" || Matches(globs, policy))
        )
        {
            throw new DevVaultRefusal(
                400,
                $"token policies ({Quoted(asked)}) must be subset of the role's allowed policies "
                    + $"({Quoted(allowed)}) or glob policies ({Quoted(globs)})"
            );
        }

        if (
            asked.FirstOrDefault(policy =>
                role.List("disallowed_policies").Contains(policy)
                || Matches(role.List("disallowed_policies_glob"), policy)
            ) is
            { } disallowed
        )
        {
            throw new DevVaultRefusal(400, $"token policy \"{disallowed}\" is disallowed by this role");
        }
    }

    private static bool Matches(IReadOnlyList<string> globs, string policy) =>
        globs.Any(glob => DevVaultText.Matches(glob, policy));

    private static string Quoted(IReadOnlyList<string> names) =>
        $"[{string.Join(' ', names.Select(name => $"\"{name}\""))}]";

    private static List<string> Sanitized(IEnumerable<string> names) =>
        [
            .. names
                .Select(name => name.Trim().ToLowerInvariant())
                .Where(name => name.Length > 0)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];
}
