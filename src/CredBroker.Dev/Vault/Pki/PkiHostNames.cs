using System.Text.RegularExpressions;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>Which host names and e-mail addresses a PKI role allows.</summary>
internal sealed partial class PkiHostNames(RoleSettings role)
{
    /// <summary>Whether the role allows the name.</summary>
    public bool Allows(string name)
    {
        var host = name.Contains('@') ? name[(name.LastIndexOf('@') + 1)..] : name;
        var wildcard = host.StartsWith("*.", StringComparison.Ordinal);
        if (
            (wildcard && !role.Flag("allow_wildcard_certificates"))
            || (role.Flag("enforce_hostnames") && !HostName().IsMatch(wildcard ? host[2..] : host))
        )
        {
            return false;
        }

        return role.Flag("allow_any_name")
            || (
                role.Flag("allow_localhost")
                && (
                    host is "localhost" or "localdomain"
                    || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
                )
            )
            || role.List("allowed_domains").Any(domain => Within(domain, host));
    }

    private bool Within(string domain, string host) =>
        (role.Flag("allow_bare_domains") && string.Equals(host, domain, StringComparison.OrdinalIgnoreCase))
        || (role.Flag("allow_subdomains") && host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase))
        || (role.Flag("allow_glob_domains") && domain.Contains('*') && DevVaultText.Matches(domain, host));

    [GeneratedRegex(
        @"\A(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.?\z",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex HostName();
}
