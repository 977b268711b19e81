using CredBroker.Core.Policy;
using CredBroker.Vault.Http;

namespace CredBroker.Vault;

/// <summary>
/// The names that everything of one installation has in Vault: <c>cb-&lt;installation&gt;-…</c>. As an installation has
/// no hyphen, no name belongs to two.
/// </summary>
public sealed class VaultNames(string installation)
{
    private const int MaxCredentialLength = 64;
    private const string ReaperSuffix = "-reap";

    /// <summary>What every name begins with.</summary>
    public string Prefix { get; } = $"cb-{installation}-";

    /// <summary>The broker's own policy, and the token role or AppRole that its token comes from.</summary>
    public string Broker => Prefix + "broker";

    /// <summary>
    /// The token role (and its policy, which permits nothing) by which the broker proves that it can revoke.
    /// </summary>
    public string Probe => Prefix + "probe";

    /// <summary>The mount with the store's anchor, which nobody but the broker reads or writes.</summary>
    public string Anchor => Prefix + "anchor";

    /// <summary>A credential's token role, and the policy that its child tokens have.</summary>
    public string Credential(string credential) => Prefix + credential;

    /// <summary>
    /// The role whose reading removes the users of one lease: a database role's, and the token role (with its policy)
    /// that may read it. No other name ends so.
    /// </summary>
    public static string Reaper(string role) => role + ReaperSuffix;

    /// <summary>Whether a role is one of those.</summary>
    public static bool IsReaper(string role) => role.EndsWith(ReaperSuffix, StringComparison.Ordinal);

    /// <summary>A database connection.</summary>
    public string Connection(string connection) => Prefix + connection;

    /// <summary>Whether a role, policy or connection is this installation's own.</summary>
    public bool Owns(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length > Prefix.Length;

    /// <summary>Whether setup makes a reaper for the entry: its database role is this installation's own.</summary>
    internal bool HasReaper(CatalogueEntry entry) =>
        entry.Vault is VaultBinding.Database database && Owns(database.Role);

    /// <summary>
    /// What is wrong with the entry's names and paths, with what to write instead; null when nothing is.
    /// </summary>
    public string? FaultOf(CatalogueEntry entry)
    {
        // Vault lowers the names of policies: two credentials that differ in case only would share one.
        if (
            !VaultPath.IsSafeSegment(entry.Name)
            || entry.Name.Length > MaxCredentialLength
            || entry.Name.Any(char.IsAsciiLetterUpper)
        )
        {
            return $"The credential's name \"{entry.Name}\" cannot be part of a Vault name; "
                + $"use at most {MaxCredentialLength} lower-case letters, digits and hyphens.";
        }

        if (Credential(entry.Name) is var name && (name == Broker || name == Probe))
        {
            return $"The credential's name \"{entry.Name}\" is one that the broker uses for itself; choose another.";
        }

        if (
            entry.Vault switch
            {
                VaultBinding.KeyValue kv => kv.Mount,
                VaultBinding.Dynamic dynamic => dynamic.Path,
                _ => "",
            }
                is var place
            && (place == Anchor || place.StartsWith(Anchor + "/", StringComparison.Ordinal))
        )
        {
            return $"Credential {entry.Name}: the mount {Anchor} is the broker's own; choose another.";
        }

        var role = entry.Vault switch
        {
            VaultBinding.Database database => database.Role,
            VaultBinding.Pki pki => pki.Role,
            VaultBinding.Token token => token.Role,
            VaultBinding.Dynamic dynamic => dynamic.Path,
            _ => "",
        };
        if (new[] { entry.Name, role }.FirstOrDefault(IsReaper) is { } taken)
        {
            return $"Credential {entry.Name}: names that end in {ReaperSuffix}, such as {taken}, are kept for the roles "
                + "that remove users; choose another.";
        }

        return entry.Vault switch
        {
            VaultBinding.Database database => FaultOf(entry.Name, ("mount", database.Mount), ("role", database.Role)),
            VaultBinding.Pki pki => FaultOf(entry.Name, ("mount", pki.Mount), ("role", pki.Role)),
            // A parameter is any one segment that is safe.
            VaultBinding.KeyValue kv when entry.Params is not null => FaultOf(
                entry.Name,
                ("mount", kv.Mount),
                ("path", PathTemplate.Fill(kv.Path, name => name))
            ),
            VaultBinding.KeyValue kv => FaultOf(entry.Name, ("mount", kv.Mount), ("path", kv.Path)),
            VaultBinding.Dynamic { Method: not ("GET" or "POST") } =>
                $"Credential {entry.Name}: vault.method must be GET or POST.",
            VaultBinding.Dynamic dynamic => FaultOf(entry.Name, ("path", dynamic.Path)),
            VaultBinding.Token token
                when token.Role == Credential(entry.Name) || token.Role == Broker || token.Role == Probe =>
                $"Credential {entry.Name}: vault.role must differ from {token.Role}, "
                    + $"a role that the broker needs for itself; write {token.Role}-token.",
            VaultBinding.Token token => FaultOf(entry.Name, ("role", token.Role)),
            _ => null,
        };
    }

    /// <summary>
    /// Where Vault keeps the leases of this entry's secrets, without a slash at the end; null where there is none or
    /// the role is not this installation's alone.
    /// </summary>
    internal string? LeasePrefix(CatalogueEntry entry) =>
        entry.Vault switch
        {
            VaultBinding.Database database when Owns(database.Role) => VaultPaths.Mint(database),
            VaultBinding.Pki pki when Owns(pki.Role) => VaultPaths.Mint(pki),
            VaultBinding.Dynamic dynamic when Owns(dynamic.Path[(dynamic.Path.LastIndexOf('/') + 1)..]) =>
                VaultPaths.Mint(dynamic),
            // A token's lease cannot be told from another's: Vault shows no accessor with it. A KV value has no lease.
            _ => null,
        };

    /// <summary>
    /// Where the lease prefixes of the entry's role and of others beside it are, without a slash at the end, so that those
    /// of an entry that has left the catalogue can be listed, too; null where the entry has no such prefix.
    /// </summary>
    internal string? RoleFolder(CatalogueEntry entry) =>
        LeasePrefix(entry) is { } prefix ? prefix[..prefix.LastIndexOf('/')] : null;

    /// <summary>Every token role that setup makes, or expects, for these entries and for the broker itself.</summary>
    internal IEnumerable<string> TokenRoles(IEnumerable<CatalogueEntry> entries) =>
        entries
            .SelectMany(entry =>
                new[]
                {
                    Credential(entry.Name),
                    Reaper(Credential(entry.Name)),
                    (entry.Vault as VaultBinding.Token)?.Role,
                }
            )
            .OfType<string>()
            .Concat([Broker, Probe]);

    private static string? FaultOf(string credential, params ReadOnlySpan<(string Name, string Value)> parts)
    {
        foreach (var (name, value) in parts)
        {
            if (name is "role" ? !VaultPath.IsSafeSegment(value) : !VaultPath.IsSafe(value))
            {
                return $"Credential {credential}: vault.{name} \"{value}\" is no plain Vault path; "
                    + "use letters, digits and -_.~@=: with single slashes between.";
            }
        }

        return null;
    }
}
