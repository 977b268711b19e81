using System.Text.Json.Nodes;

namespace CredBroker.Vault.Setup;

/// <summary>One thing that Vault must hold for the catalogue to work: where it is, and what it says.</summary>
public sealed record SetupStep
{
    /// <summary>What kind of thing it is.</summary>
    public required SetupKind Kind { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is written with POST, below <c>/v1/</c>.</summary>
    public required string Path { get; init; }

    /// <summary>What is written; without the members that come from files.</summary>
    public required JsonObject Body { get; init; }

    /// <summary>
    /// A file of the form <c>user:password</c> whose parts are written as <c>username</c> and <c>password</c>. Its
    /// content is never printed.
    /// </summary>
    public string CredentialFile { get; init; } = "";

    /// <summary>
    /// Whether it is this installation's own, by its name <c>cb-&lt;installation&gt;-…</c>: setup changes it as the
    /// catalogue changes. A mount, an auth method, an authority and the header are everybody's: made where they are not
    /// there, used as they are where they are.
    /// </summary>
    public bool IsOwn { get; init; }

    /// <summary>For a reaper: the token role by which setup has it try once when it was made; else empty.</summary>
    internal string TriedBy { get; init; } = "";

    /// <summary>Of a database role: where reading makes its user.</summary>
    internal string CredentialsPath => $"{Path[..Path.LastIndexOf("/roles/", StringComparison.Ordinal)]}/creds/{Name}";

    /// <summary>The policy's text, where it is one.</summary>
    internal string PolicyText => (string?)Body["policy"] ?? "";
}

/// <summary>What setup makes.</summary>
public enum SetupKind
{
    /// <summary>A request header that Vault writes into its audit log.</summary>
    AuditedHeader,

    /// <summary>A secrets engine.</summary>
    Mount,

    /// <summary>An auth method.</summary>
    AuthMethod,

    /// <summary>A PKI mount's root, where it has no issuer yet.</summary>
    CertificateAuthority,

    /// <summary>An ACL policy.</summary>
    Policy,

    /// <summary>A token role.</summary>
    TokenRole,

    /// <summary>An AppRole.</summary>
    AppRole,

    /// <summary>A database connection.</summary>
    DatabaseConnection,

    /// <summary>A database role.</summary>
    DatabaseRole,

    /// <summary>A PKI role.</summary>
    PkiRole,
}
