using System.Text.Json.Nodes;
using CredBroker.Core.Policy;
using CredBroker.Vault.Engines;
using PolicySetup = CredBroker.Core.Policy.VaultSetup;

namespace CredBroker.Vault.Setup;

/// <summary>What each thing that setup makes says.</summary>
internal static class SetupSteps
{
    /// <summary>
    /// A role whose tokens have one policy, its namesake, and live no longer than this however often they are renewed.
    /// </summary>
    public static SetupStep TokenRole(string name, bool orphan, TimeSpan longestLife) =>
        new()
        {
            Kind = SetupKind.TokenRole,
            Name = name,
            Path = $"auth/token/roles/{name}",
            Body = new()
            {
                ["allowed_policies"] = Array(name),
                ["orphan"] = orphan,
                ["renewable"] = true,
                // The request's own limit is ignored at renewal; the role's is not.
                ["token_explicit_max_ttl"] = Seconds(longestLife),
                ["token_no_default_policy"] = true,
                ["token_type"] = "service",
            },
        };

    /// <summary>A role whose tokens live as long as they are renewed.</summary>
    public static SetupStep PeriodicTokenRole(string name, TimeSpan period) =>
        new()
        {
            Kind = SetupKind.TokenRole,
            Name = name,
            Path = $"auth/token/roles/{name}",
            Body = new()
            {
                ["allowed_policies"] = Array(name),
                ["orphan"] = true,
                ["renewable"] = true,
                ["token_no_default_policy"] = true,
                ["token_period"] = Seconds(period),
                ["token_type"] = "service",
            },
        };

    /// <summary>
    /// The broker's AppRole. Its secret id ends: one that was copied, or lies in a backup, is no key for ever.
    /// </summary>
    public static SetupStep AppRole(AppRoleSetup appRole, string name, TimeSpan period)
    {
        var body = new JsonObject
        {
            ["token_policies"] = Array(name),
            ["token_no_default_policy"] = true,
            ["token_type"] = "service",
            ["token_period"] = Seconds(period),
            ["secret_id_ttl"] = Seconds(appRole.SecretIdTtl),
        };
        if (appRole.BoundTo.Count > 0)
        {
            string[] networks = [.. appRole.BoundTo.Select(network => network.ToString())];
            (body["secret_id_bound_cidrs"], body["token_bound_cidrs"]) = (Array(networks), Array(networks));
        }

        return new()
        {
            Kind = SetupKind.AppRole,
            Name = name,
            Path = $"auth/{appRole.Mount}/role/{name}",
            Body = body,
        };
    }

    public static SetupStep DatabaseConnection(
        VaultNames names,
        string mount,
        PolicySetup setup,
        DatabaseConnection connection
    ) =>
        new()
        {
            Kind = SetupKind.DatabaseConnection,
            Name = names.Connection(setup.Connection),
            Path = $"{mount}/config/{names.Connection(setup.Connection)}",
            CredentialFile = setup.AdminCredentialFile,
            Body = new()
            {
                ["plugin_name"] = "postgresql-database-plugin",
                ["allowed_roles"] = Array($"{names.Prefix}*"),
                ["connection_url"] =
                    $"postgresql://{{{{username}}}}:{{{{password}}}}@{connection.Host}:{connection.Port}/"
                    + $"{connection.Database}?sslmode={connection.SslMode}",
                ["username_template"] = PostgresStatements.UsernameTemplate,
                // The server gets a verifier, so that its log never shows a password.
                ["password_authentication"] = "scram-sha-256",
                ["max_open_connections"] = 16,
            },
        };

    public static SetupStep DatabaseRole(
        VaultNames names,
        VaultBinding.Database database,
        PolicySetup setup,
        TimeSpan maxTtl
    ) =>
        new()
        {
            Kind = SetupKind.DatabaseRole,
            Name = database.Role,
            Path = $"{database.Mount}/roles/{database.Role}",
            Body = new()
            {
                ["db_name"] = names.Connection(setup.Connection),
                ["creation_statements"] = Array(PostgresStatements.Creation(setup.Grants)),
                ["revocation_statements"] = Array(PostgresStatements.Revocation),
                ["default_ttl"] = Seconds(maxTtl),
                ["max_ttl"] = Seconds(maxTtl),
            },
        };

    /// <summary>The role whose reading removes the users of the reading token's lease, and makes none.</summary>
    public static SetupStep ReaperRole(
        VaultNames names,
        VaultBinding.Database database,
        PolicySetup setup,
        DatabaseConnection connection,
        string tokenRole
    ) =>
        new()
        {
            TriedBy = tokenRole,
            Kind = SetupKind.DatabaseRole,
            Name = VaultNames.Reaper(database.Role),
            Path = $"{database.Mount}/roles/{VaultNames.Reaper(database.Role)}",
            Body = new()
            {
                ["db_name"] = names.Connection(setup.Connection),
                ["creation_statements"] = Array(PostgresStatements.Reaping(connection.AcceptsPreparedTransactions)),
                // Nothing was made; without any, Vault would try to drop a user by its own statements.
                ["revocation_statements"] = Array("SELECT 1"),
                ["default_ttl"] = Seconds(ChildTokens.ReaperLife),
                ["max_ttl"] = Seconds(ChildTokens.ReaperLife),
            },
        };

    public static SetupStep CertificateAuthority(VaultNames names, string mount) =>
        new()
        {
            Kind = SetupKind.CertificateAuthority,
            Name = mount,
            Path = $"{mount}/root/generate/internal",
            Body = new()
            {
                ["common_name"] = $"CredBroker {names.Prefix[3..^1]} CA",
                ["ttl"] = "87600h",
                ["key_type"] = "ec",
                ["key_bits"] = 256,
            },
        };

    /// <summary>A role that takes the key of a CSR and none of its names.</summary>
    public static SetupStep PkiRole(
        VaultBinding.Pki pki,
        PolicySetup setup,
        CertificateNames certificate,
        TimeSpan maxTtl
    ) =>
        new()
        {
            Kind = SetupKind.PkiRole,
            Name = pki.Role,
            Path = $"{pki.Mount}/roles/{pki.Role}",
            Body = new()
            {
                ["allow_any_name"] = false,
                ["allow_bare_domains"] = true,
                ["allow_glob_domains"] = setup.AllowedDomains.Any(domain =>
                    domain.Contains('*', StringComparison.Ordinal)
                ),
                ["allow_ip_sans"] = false,
                ["allow_localhost"] = false,
                ["allow_subdomains"] = false,
                ["allow_wildcard_certificates"] = false,
                ["allowed_domains"] = Array([.. setup.AllowedDomains]),
                ["allowed_uri_sans"] = Array([.. setup.AllowedUris]),
                // A common name that is no host name cannot be held against allowed_domains; the broker compares what
                // was signed.
                ["cn_validations"] = Array(
                    certificate.CommonName is null || certificate.CommonName == certificate.Dns
                        ? "hostname"
                        : "disabled"
                ),
                ["client_flag"] = true,
                ["generate_lease"] = true,
                ["key_bits"] = pki.Mode == PkiMode.Issue ? 256 : 0,
                ["key_type"] = pki.Mode == PkiMode.Issue ? "ec" : "any",
                ["max_ttl"] = Seconds(maxTtl),
                ["no_store"] = false,
                ["require_cn"] = false,
                ["server_flag"] = true,
                ["ttl"] = Seconds(maxTtl),
                ["use_csr_common_name"] = false,
                ["use_csr_sans"] = false,
            },
        };

    private static int Seconds(TimeSpan life) => (int)Math.Ceiling(life.TotalSeconds);

    private static JsonArray Array(params IEnumerable<string> items) => [.. items.Select(item => (JsonNode)item)];
}
