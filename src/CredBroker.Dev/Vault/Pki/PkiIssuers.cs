using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>The issuers of one mount; the first is the default.</summary>
internal sealed class PkiIssuers
{
    private readonly List<PkiIssuer> _issuers = [];

    /// <summary>The default issuer, where there is any.</summary>
    public PkiIssuer? First => _issuers.FirstOrDefault();

    /// <summary>The default issuer; without one the call ends.</summary>
    public PkiIssuer Default => First ?? throw new DevVaultRefusal(400, "no default issuer currently configured");

    /// <summary>A name for another issuer: empty, or one that no issuer has.</summary>
    public string FreeName(string name)
    {
        DevVaultBounds.Check(_issuers.Count, DevVaultBounds.Issuers, "issuers in one mount");
        return name.Length > 0 && _issuers.Any(issuer => issuer.Name == name)
            ? throw new DevVaultRefusal(400, "issuer name already in use")
            : name;
    }

    public void Add(PkiIssuer issuer) => _issuers.Add(issuer);

    /// <summary>Whether a serial number is an issuer's own.</summary>
    public bool Holds(string serial) => _issuers.Any(issuer => PkiCertificates.Serial(issuer.Certificate) == serial);

    /// <summary>As <c>issuers</c> lists them.</summary>
    public DevVaultReply List()
    {
        var about = new JsonObject();
        foreach (var issuer in _issuers)
        {
            about[issuer.Id] = new JsonObject
            {
                ["is_default"] = issuer == First,
                ["issuer_name"] = issuer.Name,
                ["key_id"] = issuer.KeyId,
                ["serial_number"] = PkiCertificates.Serial(issuer.Certificate),
            };
        }

        var reply = DevVaultReply.Keys(_issuers.Select(issuer => issuer.Id).Order(StringComparer.Ordinal));
        reply.Data!["key_info"] = about;
        return reply;
    }

    /// <summary>As <c>issuer/&lt;id, name or default&gt;</c> shows one.</summary>
    public DevVaultReply Show(string name)
    {
        var issuer =
            name == "default"
                ? Default
                : _issuers.FirstOrDefault(issuer =>
                    issuer.Id == name || (issuer.Name.Length > 0 && issuer.Name == name)
                ) ?? throw new DevVaultRefusal(500, $"unable to find issuer for reference: {name}");
        return DevVaultReply.Of(
            new JsonObject
            {
                ["ca_chain"] = new JsonArray(issuer.Pem + "\n"),
                ["certificate"] = issuer.Pem + "\n",
                ["crl_distribution_points"] = new JsonArray(),
                ["delta_crl_distribution_points"] = new JsonArray(),
                ["issuer_id"] = issuer.Id,
                ["issuer_name"] = issuer.Name,
                ["issuing_certificates"] = new JsonArray(),
                ["key_id"] = issuer.KeyId,
                ["leaf_not_after_behavior"] = "err",
                ["manual_chain"] = null,
                ["ocsp_servers"] = new JsonArray(),
                ["revocation_signature_algorithm"] = issuer.SignatureAlgorithm,
                ["revoked"] = false,
                ["usage"] = "crl-signing,issuing-certificates,ocsp-signing,read-only",
            }
        );
    }
}
