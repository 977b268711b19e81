using System.Text.Json.Serialization;

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

    /// <summary>
    /// What stands behind Vault for this credential, as far as is known: entries with the same backend suffer together
    /// when it is away, and share what may be open to it. A database is known by its server, through whichever mount.
    /// Where it is not, all of the mount counts as one: two taken for one slow each other down, one taken for many stops
    /// Vault. Other engines have one backend for each mount, or none but Vault itself.
    /// </summary>
    [JsonIgnore]
    public string Backend =>
        Vault switch
        {
            VaultBinding.Database when Connection is { } at => $"{at.Host.ToLowerInvariant()}:{at.Port}",
            VaultBinding.Database database => database.Mount,
            VaultBinding.Dynamic dynamic => MountOf(dynamic.Path),
            VaultBinding.Pki pki => pki.Mount,
            VaultBinding.KeyValue value => value.Mount,
            VaultBinding.Token => "auth/token",
            _ => throw new NotSupportedException(Vault.Engine),
        };

    /// <summary>Where a database user logs in.</summary>
    public DatabaseConnection? Connection { get; init; }

    /// <summary>The names a certificate gets, as templates over identity fields.</summary>
    public CertificateNames? Names { get; init; }

    /// <summary>Returned beside a Vault token: the address of the Vault that accepts it.</summary>
    public string Address { get; init; } = "";

    /// <summary>
    /// For a Vault token: whether its holder may have Vault make more with it, such as a database user or another token.
    /// False only where the policy in <c>setup</c> names KV paths alone.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool MayMakeMore { get; init; }

    /// <summary>
    /// Where it may: the paths in the policy in <c>setup</c> that are no KV paths. Null where that policy is not known, or
    /// not understood.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public IReadOnlyList<string>? MakesMoreAt { get; init; }

    /// <summary>
    /// The parameters of its path; null where it has none, and where a request has filled them in: what a lease stores is
    /// where its secret is.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<CatalogueParameter>? Params { get; init; }

    /// <summary>What only <c>vault setup</c> needs; not part of what a lease stores.</summary>
    [JsonIgnore]
    public VaultSetup? Setup { get; init; }

    /// <summary>
    /// The effective <c>reversible</c>: false where a revocation reaches less than the backend, unless the process accepts
    /// that.
    /// </summary>
    public bool IsReversibleIn(BusinessProcess process) =>
        Reversible && (Vault.Revocation == RevocationReach.Backend || process.AcceptsUnrevocable.Contains(Name));

    /// <summary>
    /// A mount may itself have slashes, so it is what stands before the last two segments: <c>aws</c> of
    /// <c>aws/creds/deploy</c>, and <c>gcp/roleset</c>, one for all roles still, of <c>gcp/roleset/deploy/token</c>.
    /// </summary>
    private static string MountOf(string path)
    {
        var segments = path.Split('/');
        return string.Join('/', segments[..Math.Max(1, segments.Length - 2)]);
    }
}
