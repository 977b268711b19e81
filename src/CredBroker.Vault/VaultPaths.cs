using CredBroker.Core.Policy;

namespace CredBroker.Vault;

/// <summary>Where each engine makes its secrets, below <c>/v1/</c>.</summary>
internal static class VaultPaths
{
    private const string AnchorKey = "store";

    /// <summary>The path whose call makes (or, for KV, reads) the secret. A secret's lease id begins with it.</summary>
    public static string Mint(VaultBinding binding) =>
        binding switch
        {
            VaultBinding.Database database => $"{database.Mount}/creds/{database.Role}",
            VaultBinding.Dynamic dynamic => dynamic.Path,
            VaultBinding.Pki { Mode: PkiMode.Issue } pki => $"{pki.Mount}/issue/{pki.Role}",
            VaultBinding.Pki pki => $"{pki.Mount}/sign/{pki.Role}",
            VaultBinding.KeyValue kv => $"{kv.Mount}/data/{kv.Path}",
            VaultBinding.Token token => TokenCreate(token.Role),
            _ => throw new NotSupportedException(binding.Engine),
        };

    /// <summary>The same as a policy of Vault's grants it: any value of a parameter, which is one segment.</summary>
    public static string Granted(VaultBinding binding) => WithParams(binding, "+");

    /// <summary>The same for a look at what is granted: some value that nobody would choose.</summary>
    public static string Sample(VaultBinding binding) => WithParams(binding, "credbroker-check");

    private static string WithParams(VaultBinding binding, string value) =>
        Mint(binding is VaultBinding.KeyValue kv ? kv with { Path = PathTemplate.Fill(kv.Path, _ => value) } : binding);

    /// <summary>The path whose reading removes the users of one lease.</summary>
    public static string Reap(VaultBinding.Database database) =>
        Mint(database with { Role = VaultNames.Reaper(database.Role) });

    /// <summary>Where the database roles of an entry say what their statements are: its own and its reaper's.</summary>
    public static IEnumerable<string> Roles(CatalogueEntry entry) =>
        entry.Vault is VaultBinding.Database database
            ? [$"{database.Mount}/roles/{database.Role}", $"{database.Mount}/roles/{VaultNames.Reaper(database.Role)}"]
            : [];

    /// <summary>What the broker does at <see cref="Anchor"/>.</summary>
    public static readonly IReadOnlyList<string> AnchorCapabilities = ["create", "read", "update"];

    /// <summary>Where the store's anchor is.</summary>
    public static string Anchor(VaultNames names) => $"{names.Anchor}/data/{AnchorKey}";

    /// <summary>All that there is of it, the versions before included.</summary>
    public static string AnchorHistory(VaultNames names) => $"{names.Anchor}/metadata/{AnchorKey}";

    public static string TokenCreate(string role) => $"auth/token/create/{role}";
}
