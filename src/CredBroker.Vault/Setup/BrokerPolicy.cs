using System.Security.Cryptography;
using System.Text;
using CredBroker.Core.Policy;

namespace CredBroker.Vault.Setup;

/// <summary>
/// The texts of the policies that setup writes: the least that works. The broker may make tokens of the listed roles,
/// revoke and list this installation's leases, read the listed KV values, keep its store's anchor, and nothing else; a
/// child token may make its one secret.
/// </summary>
internal static class BrokerPolicy
{
    private const string Mark = "# Made by credbroker vault setup; edited by hand, it is left alone. ";

    /// <summary>The broker's own.</summary>
    public static string ForBroker(VaultNames names, IReadOnlyList<CatalogueEntry> entries)
    {
        var text = new StringBuilder();
        foreach (
            var (path, capability) in new[]
            {
                ("auth/token/lookup-self", "read"),
                ("auth/token/renew-self", "update"),
                ("auth/token/lookup-accessor", "update"),
                ("auth/token/renew-accessor", "update"),
                ("auth/token/revoke-accessor", "update"),
                ("sys/capabilities-self", "update"),
                ("sys/capabilities-accessor", "update"),
            }
        )
        {
            Rule(text, path, capability);
        }

        foreach (
            var role in entries
                .Where(entry => entry.Vault is not VaultBinding.KeyValue)
                .Select(entry => names.Credential(entry.Name))
                .Concat(entries.Where(names.HasReaper).Select(entry => VaultNames.Reaper(names.Credential(entry.Name))))
                .Append(names.Probe)
        )
        {
            Rule(text, VaultPaths.TokenCreate(role), "update", ("display_name", []), ("meta", []), ("ttl", []));
        }

        foreach (
            var kv in entries
                .Select(entry => entry.Vault)
                .OfType<VaultBinding.KeyValue>()
                .Select(VaultPaths.Granted)
                .Distinct()
        )
        {
            Rule(text, kv, "read");
        }

        Rule(text, VaultPaths.Anchor(names), string.Join(' ', VaultPaths.AnchorCapabilities));

        // What roles and policies say, and no more than to read it: so the check finds what is not as setup makes it.
        Rule(text, $"sys/policies/acl/{names.Prefix}*", "read");
        foreach (var role in entries.Where(names.HasReaper).SelectMany(entry => VaultPaths.Roles(entry)).Distinct())
        {
            Rule(text, role, "read");
        }

        string[] leases = [.. LeaseIds(names, entries)];
        Rule(text, "sys/leases/revoke", "update", ("lease_id", leases), ("sync", []));
        Rule(text, "sys/leases/lookup", "update", ("lease_id", leases));
        string[] folders = [.. entries.Select(names.RoleFolder).OfType<string>().Distinct()];
        foreach (var folder in folders)
        {
            Rule(text, $"sys/leases/lookup/{folder}/{names.Prefix}*", "list sudo");
        }

        // Which roles have leases, and at which mounts: so an order of everything finds those that no policy names. The
        // leases of others are below that, and not listed.
        foreach (var folder in folders.SelectMany(WithAbove).Append("").Append("auth/token/create/").Distinct())
        {
            Rule(text, $"sys/leases/lookup/{folder}", "list sudo");
        }

        return Marked(text.ToString());
    }

    /// <summary>A child token's: the one call that makes the secret.</summary>
    public static string ForChild(CatalogueEntry entry)
    {
        var text = new StringBuilder();
        if (entry.Vault is VaultBinding.Token token)
        {
            Rule(text, VaultPaths.Mint(token), "update", ("display_name", []), ("meta", []), ("ttl", []));
        }
        else
        {
            Rule(
                text,
                VaultPaths.Mint(entry.Vault),
                entry.Vault is VaultBinding.Database or VaultBinding.Dynamic { Method: "GET" } ? "read" : "update"
            );
        }

        return Marked(text.ToString());
    }

    /// <summary>A reaper token's: the one call that removes the users of its lease.</summary>
    public static string ForReaper(VaultBinding.Database database)
    {
        var text = new StringBuilder();
        Rule(text, VaultPaths.Reap(database), "read");
        return Marked(text.ToString());
    }

    /// <summary>The probe's: a token that can do nothing.</summary>
    public static string ForProbe() => Marked("# Nothing.\n");

    /// <summary>A text of the policy document's, marked as ours.</summary>
    public static string Marked(string text) => $"{Mark}{Digest(text)}\n{text}";

    /// <summary>Whether setup wrote this text and nobody has edited it since.</summary>
    public static bool IsUntouched(string text) =>
        text.StartsWith(Mark, StringComparison.Ordinal)
        && text.IndexOf('\n', StringComparison.Ordinal) is > 0 and var end
        && text[Mark.Length..end] == Digest(text[(end + 1)..]);

    /// <summary>The text without the mark, whoever wrote the digest in it.</summary>
    public static string Unmarked(string text) =>
        text.StartsWith(Mark, StringComparison.Ordinal)
        && text.IndexOf('\n', StringComparison.Ordinal) is > 0 and var end
            ? text[(end + 1)..]
            : text;

    /// <summary>
    /// The ids of the leases that are this installation's to revoke: by the roles' common prefix, so that a lease of an
    /// entry that has left the catalogue can still be revoked.
    /// </summary>
    private static IEnumerable<string> LeaseIds(VaultNames names, IReadOnlyList<CatalogueEntry> entries) =>
        entries
            .Where(entry => entry.Vault is not VaultBinding.Token)
            .Select(entry =>
                names.RoleFolder(entry) is { } folder
                    ? $"{folder}/{names.Prefix}*"
                    : $"{VaultPaths.Mint(entry.Vault)}/*"
            )
            .Append($"{VaultPaths.TokenCreate(names.Probe)}/*")
            .Distinct();

    private static IEnumerable<string> WithAbove(string folder) =>
        folder
            .Select((c, i) => (c, i))
            .Where(at => at.c == '/')
            .Select(at => folder[..(at.i + 1)])
            .Append(folder + "/");

    private static void Rule(
        StringBuilder text,
        string path,
        string capabilities,
        params ReadOnlySpan<(string Name, string[] Values)> parameters
    )
    {
        text.Append($"path \"{path}\" {{\n  capabilities = [{Quoted(capabilities.Split(' '))}]\n");
        if (parameters.Length > 0)
        {
            text.Append("  allowed_parameters = {\n");
            foreach (var (name, values) in parameters)
            {
                text.Append($"    \"{name}\" = [{Quoted(values)}]\n");
            }

            text.Append("  }\n");
        }

        text.Append("}\n");
    }

    private static string Quoted(IEnumerable<string> values) =>
        string.Join(", ", values.Select(value => $"\"{value}\""));

    private static string Digest(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
