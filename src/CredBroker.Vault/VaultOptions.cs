using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault;

/// <summary>Where Vault (or OpenBao) is, and how the broker logs in. Bound from the section <c>Vault</c>.</summary>
public sealed partial record VaultOptions
{
    /// <summary>Vault's address, such as <c>https://vault.acme.example:8200</c>; plain http on loopback only.</summary>
    public string Address { get; init; } = "";

    /// <summary>
    /// This broker store's name in Vault: every role, policy and connection is called <c>cb-&lt;installation&gt;-…</c>,
    /// so that two stores on one Vault never sweep each other's leases. No hyphen, because <c>cb-prod-eu-x</c> must
    /// belong to one installation only.
    /// </summary>
    public string Installation { get; init; } = "";

    /// <summary>The Vault namespace; empty for none.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>
    /// A PEM file with the authorities that Vault's certificate may come from; empty for the system's.
    /// </summary>
    public string CaFile { get; init; } = "";

    /// <summary>
    /// A file holding the broker's token, read again whenever it changes. Either this or <see cref="AppRole"/>.
    /// </summary>
    public string TokenFile { get; init; } = "";

    /// <summary>Login by AppRole. Either this or <see cref="TokenFile"/>.</summary>
    public AppRoleOptions? AppRole { get; init; }

    /// <summary>How long a call may take that reaches no backend: login, token, lookup, KV.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long an agent waits for one secret. Shorter than <c>Leases:IssuanceDeadline</c>. The call to Vault goes on for
    /// <c>Leases:VaultRequestLimit</c>, as one that is cut off can leave a user that Vault does not know.
    /// </summary>
    public TimeSpan MintTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>
    /// How long one revocation may take at the backend. Shorter than <c>Leases:RevocationTimeout</c>.
    /// </summary>
    public TimeSpan RevokeTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How often the broker proves that it can revoke. Issuing stops when the last proof is three intervals old.
    /// </summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>An answer longer than this is refused. A list of leases takes about 30 bytes for each.</summary>
    public int MaxResponseBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>How many connections to Vault may be open at once.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Every fault of these settings, with what to write instead; empty when there is none.</summary>
    public IEnumerable<string> Validate()
    {
        if (!Uri.TryCreate(Address, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            yield return $"Vault:Address is \"{Address}\"; write Vault's address, "
                + "such as \"https://vault.acme.example:8200\".";
        }
        else if (address.PathAndQuery != "/" || address.UserInfo.Length > 0 || address.Fragment.Length > 0)
        {
            yield return "Vault:Address may hold scheme, host and port only; "
                + "write it as \"https://vault.acme.example:8200\".";
        }
        else if (address.Scheme == "http" && !address.IsLoopback)
        {
            yield return "Vault:Address is plain http; "
                + $"write \"https://{address.Authority}\" (http is accepted on loopback only).";
        }

        if (!InstallationForm().IsMatch(Installation))
        {
            yield return $"Vault:Installation is \"{Installation}\"; write 1 to 20 lower-case letters and digits, "
                + "such as \"prod\". It must differ between stores that share a Vault.";
        }

        if (Namespace.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            yield return "Vault:Namespace holds a character that no header may carry; write it as \"team/prod\".";
        }

        if (CaFile.Length > 0 && !HoldsCertificates(CaFile))
        {
            yield return $"Vault:CaFile \"{CaFile}\" does not exist or holds no certificate; "
                + "write the path of a PEM file with Vault's certificate authority.";
        }

        if (TokenFile.Length > 0 == AppRole is not null)
        {
            yield return "Vault needs one way to log in; write either Vault:TokenFile or Vault:AppRole.";
        }

        foreach (var fault in AppRole?.Validate() ?? [])
        {
            yield return fault;
        }

        foreach (
            var (name, value, low, high) in new[]
            {
                (nameof(CallTimeout), CallTimeout, 1, 60),
                (nameof(MintTimeout), MintTimeout, 1, 300),
                (nameof(RevokeTimeout), RevokeTimeout, 1, 300),
                (nameof(ProbeInterval), ProbeInterval, 1, 300),
            }
        )
        {
            if (value < TimeSpan.FromSeconds(low) || value > TimeSpan.FromSeconds(high))
            {
                yield return $"Vault:{name} is {value}; "
                    + $"write a time from {low} to {high} seconds, such as \"00:00:10\".";
            }
        }

        if (MaxResponseBytes is < 4096 or > 64 * 1024 * 1024)
        {
            yield return $"Vault:MaxResponseBytes is {MaxResponseBytes}; write a number from 4096 to 67108864.";
        }

        if (MaxConnections is < 1 or > 4096)
        {
            yield return $"Vault:MaxConnections is {MaxConnections}; write a number from 1 to 4096.";
        }
    }

    /// <summary>
    /// Each of the files that can be missing while the broker runs and is of no use now, as a sentence. A broker starts
    /// all the same: what writes them may come later.
    /// </summary>
    public IEnumerable<string> FileFaults()
    {
        var (name, path) = AppRole is { } appRole
            ? ($"{nameof(AppRole)}:{nameof(AppRoleOptions.SecretIdFile)}", appRole.SecretIdFile)
            : (nameof(TokenFile), TokenFile);
        if (SecretFile.Read(path, out var fault) is null)
        {
            yield return $"Vault:{name}: {fault}";
        }
    }

    private static bool HoldsCertificates(string path)
    {
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(path);
            return certificates.Count > 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\A[a-z0-9]{1,20}\z", RegexOptions.CultureInvariant)]
    private static partial Regex InstallationForm();
}

/// <summary>Login by AppRole.</summary>
public sealed record AppRoleOptions
{
    /// <summary>Where the auth method is mounted.</summary>
    public string Mount { get; init; } = "approle";

    /// <summary>The role id; no secret.</summary>
    public string RoleId { get; init; } = "";

    /// <summary>A file holding the secret id, read again at each login.</summary>
    public string SecretIdFile { get; init; } = "";

    internal IEnumerable<string> Validate()
    {
        if (!VaultPath.IsSafe(Mount))
        {
            yield return $"Vault:AppRole:Mount is \"{Mount}\"; write the auth method's mount, such as \"approle\".";
        }

        if (RoleId.Length == 0)
        {
            yield return "Vault:AppRole:RoleId is missing; "
                + "write the role's id (vault read auth/approle/role/NAME/role-id).";
        }

        if (SecretIdFile.Length == 0)
        {
            yield return "Vault:AppRole:SecretIdFile is missing; write the path of the file that holds the secret id.";
        }
    }
}
