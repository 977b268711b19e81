using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>
/// What <c>vault setup</c> needs to prepare Vault for an entry. Credentials are named by file, never by value.
/// </summary>
public sealed record VaultSetup
{
    /// <summary>The database connection's short name; entries that share it share the connection.</summary>
    public string Connection { get; init; } = "";

    /// <summary>A file holding the database administrator's <c>user:password</c>.</summary>
    public string AdminCredentialFile { get; init; } = "";

    /// <summary>SQL grants with <c>{{name}}</c> for the user.</summary>
    public IReadOnlyList<string> Grants { get; init; } = [];

    /// <summary>URI SANs that the PKI role allows.</summary>
    public IReadOnlyList<string> AllowedUris { get; init; } = [];

    /// <summary>DNS names that the PKI role allows.</summary>
    public IReadOnlyList<string> AllowedDomains { get; init; } = [];

    /// <summary>For a token or dynamic credential: the Vault policy's HCL body that its holder gets.</summary>
    public string Policy { get; init; } = "";
}
