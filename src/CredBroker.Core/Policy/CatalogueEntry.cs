using System.Text.Json.Serialization;
using CredBroker.Core.Text;

namespace CredBroker.Core.Policy;

/// <summary>
/// One credential of the catalogue, resolved: what can be issued, how, and what its owner says of it. Stored with every
/// lease that it led to.
/// </summary>
public sealed record CatalogueEntry
{
    /// <summary>The name that agents ask for.</summary>
    public required string Name { get; init; }

    /// <summary>Where Vault makes it.</summary>
    public required VaultBinding Vault { get; init; }

    /// <summary>What the secret gives access to do.</summary>
    public required AccessKind Access { get; init; }

    /// <summary>What misuse would cost.</summary>
    public required ImpactLevel Impact { get; init; }

    /// <summary>
    /// Whether what is done with it can be undone, as declared; CEL sees the effective value (false where a revocation
    /// reaches less than the backend, unless the process accepts it).
    /// </summary>
    public required bool Reversible { get; init; }

    /// <summary>The actions that the Vault role really enforces; never empty.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>Bounds the secret's whole life, renewals included.</summary>
    public required TimeSpan MaxTtl { get; init; }

    /// <summary>A class that rules may name, such as <c>money-movement</c>; empty when none.</summary>
    public string Category { get; init; } = "";

    /// <summary>Where a database user logs in.</summary>
    public DatabaseConnection? Connection { get; init; }

    /// <summary>The names a certificate gets, as templates over identity fields.</summary>
    public CertificateNames? Names { get; init; }

    /// <summary>Returned beside a Vault token: the address of the Vault that accepts it.</summary>
    public string Address { get; init; } = "";

    /// <summary>What only <c>vault setup</c> needs; not part of what a lease stores.</summary>
    [JsonIgnore]
    public VaultSetup? Setup { get; init; }
}

/// <summary>What a credential's holder can do.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<AccessKind>))]
public enum AccessKind
{
    /// <summary>Read data.</summary>
    Read,

    /// <summary>Change data.</summary>
    Write,

    /// <summary>Reach outside the organisation.</summary>
    External,

    /// <summary>Change systems, rights or secrets.</summary>
    Privileged,
}

/// <summary>What misuse of a credential would cost.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<ImpactLevel>))]
public enum ImpactLevel
{
    /// <summary>Little.</summary>
    Low,

    /// <summary>Noticeable.</summary>
    Medium,

    /// <summary>Serious.</summary>
    High,
}

/// <summary>Where a database user logs in; returned beside username and password.</summary>
public sealed record DatabaseConnection(string Host, int Port, string Database, string SslMode);

/// <summary>
/// Templates for a certificate's names, such as <c>{{identity.spiffeId}}</c>. Only identity fields can be named; never
/// anything from the CSR. Null means that the certificate carries no name of that kind.
/// </summary>
public sealed record CertificateNames(string? Uri, string? Dns, string? CommonName);

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
