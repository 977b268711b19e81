using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Http;
using CredBroker.Dev.Vault.Leases;
using CredBroker.Dev.Vault.Mounts;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>
/// A PKI engine with real X.509 certificates: a root, roles, signing and issuing, revocation and its CRL.
/// </summary>
internal sealed class PkiEngine(string mount, MountTable mounts, DevVaultLeases leases) : DevVaultEngine
{
    private readonly SortedDictionary<string, RoleSettings> _roles = new(StringComparer.Ordinal);
    private readonly PkiIssuers _issuers = new();
    private readonly PkiCertificates _certificates = new();
    private IReadOnlyList<string> _crlAddresses = [];

    public override string Type => "pki";

    public override bool IsOpen(string path) =>
        path is "ca" or "ca/pem" or "ca_chain" or "crl" or "crl/pem"
        || path.StartsWith("cert/", StringComparison.Ordinal);

    public override DevVaultReply Handle(DevVaultCall call)
    {
        if (call.Below("roles/", out var role))
        {
            return Role(call, role);
        }

        if (call.Writes)
        {
            return call.Path.Split('/') switch
            {
                ["root", "generate", "internal"] => GenerateRoot(call),
                ["sign", var name] => Hand(call, $"sign/{name}", Find(name), keyToo: false),
                ["issue", var name] => Hand(call, $"issue/{name}", Find(name), keyToo: true),
                ["revoke"] => Revoke(call),
                ["config", "urls"] => SetAddresses(call),
                _ => throw DevVaultRefusal.UnsupportedPath(),
            };
        }

        return (call.Path, call.Operation) switch
        {
            ("roles/", DevVaultOperation.List) => DevVaultReply.Keys(_roles.Keys),
            ("certs/", DevVaultOperation.List) => DevVaultReply.Keys(_certificates.Serials),
            ("issuers/", DevVaultOperation.List) => _issuers.List(),
            ("config/urls", DevVaultOperation.Read) => Addresses(),
            ("config/issuers", DevVaultOperation.Read) => DevVaultReply.Of(
                new JsonObject { ["default"] = _issuers.First?.Id ?? "", ["default_follows_latest_issuer"] = false }
            ),
            ("ca" or "ca/pem" or "ca_chain" or "crl" or "crl/pem", DevVaultOperation.Read) => RawFile(call),
            (_, DevVaultOperation.Read) when call.Below("cert/", out var serial) => Certificate(call, serial),
            (_, DevVaultOperation.Read) when call.Below("issuer/", out var name) => _issuers.Show(name),
            _ => throw DevVaultRefusal.UnsupportedPath(),
        };
    }

    private RoleSettings Find(string role) =>
        _roles.GetValueOrDefault(role) ?? throw new DevVaultRefusal(400, $"unknown role: {role}");

    private DevVaultReply Role(DevVaultCall call, string name)
    {
        switch (call.Operation)
        {
            case DevVaultOperation.Read:
                return DevVaultReply.Of((_roles.GetValueOrDefault(name) ?? throw DevVaultRefusal.NoEntry()).ToJson());
            case DevVaultOperation.Delete:
                _roles.Remove(name);
                return DevVaultReply.NoContent;
            case DevVaultOperation.Create or DevVaultOperation.Update:
                DevVaultBounds.Check(_roles.Count, DevVaultBounds.Roles, "PKI roles");
                _roles[name] = PkiRole.Read(call.Fields);
                List<string> warnings = _issuers.First is not null
                    ? []
                    :
                    [
                        "Issuing Certificate was set to default, but no default issuing certificate "
                            + "(configurable at /config/issuers) is currently set",
                    ];
                if (_roles[name].Flag("generate_lease"))
                {
                    warnings.Add(
                        "it is encouraged to disable generate_lease and rely on PKI's native capabilities when possible"
                    );
                }

                return DevVaultReply.Of(_roles[name].ToJson(), [.. warnings]);
            default:
                throw DevVaultRefusal.UnsupportedOperation();
        }
    }

    private DevVaultReply GenerateRoot(DevVaultCall call)
    {
        var name = _issuers.FreeName(call.Fields.Text("issuer_name"));
        var maximum = mounts.MaximumTtl(mount);
        var ttl =
            call.Fields.Duration("ttl") is var asked && asked > TimeSpan.Zero && asked < maximum ? asked : maximum;
        var issuer = PkiIssuer.Create(
            name,
            call.Fields.Text("common_name"),
            call.Fields.Text("key_type"),
            call.Fields.Number("key_bits"),
            call.Now,
            ttl
        );
        _issuers.Add(issuer);
        _certificates.Add(issuer.Certificate, call.Now);
        return DevVaultReply.Of(
            new JsonObject
            {
                ["certificate"] = issuer.Pem,
                ["expiration"] = new DateTimeOffset(issuer.Certificate.NotAfter).ToUnixTimeSeconds(),
                ["issuer_id"] = issuer.Id,
                ["issuer_name"] = issuer.Name,
                ["issuing_ca"] = issuer.Pem,
                ["key_id"] = issuer.KeyId,
                ["key_name"] = "",
                ["serial_number"] = PkiCertificates.Serial(issuer.Certificate),
            },
            _crlAddresses.Count > 0
                ? []
                :
                [
                    "This mount hasn't configured any authority information access (AIA) fields; "
                        + "consider updating /config/urls.",
                ]
        );
    }

    /// <summary>
    /// Signs a CSR, or makes key and certificate. With <c>generate_lease</c> the certificate hangs on the caller's
    /// token: when the lease ends, it is revoked.
    /// </summary>
    private DevVaultReply Hand(DevVaultCall call, string path, RoleSettings role, bool keyToo)
    {
        var warnings = new List<string>();
        using var order = keyToo ? PkiOrder.WithNewKey(call.Fields, role) : PkiOrder.FromCsr(call.Fields, role);
        var names = PkiNames.Of(call.Fields, role, order.Csr, warnings);
        var ttl = PkiRole.Ttl(call.Fields, role, mounts.MaximumTtl(mount), warnings);
        var issuer =
            _issuers.First
            ?? throw DevVaultRefusal.Collected(
                500,
                "could not fetch the CA certificate (was one set?): no default issuer currently configured"
            );
        var certificate = issuer.Sign(order.Request(names.Subject), names, role, _crlAddresses, call.Now, ttl);
        _certificates.Add(certificate, call.Now);

        var data = new JsonObject
        {
            ["ca_chain"] = new JsonArray(issuer.Pem),
            ["certificate"] = certificate.ExportCertificatePem(),
            ["expiration"] = new DateTimeOffset(certificate.NotAfter).ToUnixTimeSeconds(),
            ["issuing_ca"] = issuer.Pem,
            ["not_before"] = new DateTimeOffset(certificate.NotBefore).ToUnixTimeSeconds(),
            ["serial_number"] = PkiCertificates.Serial(certificate),
        };
        if (keyToo)
        {
            data["private_key"] = order.PrivateKey(call.Fields.Text("private_key_format"));
            data["private_key_type"] = order.KeyType;
        }

        DevVaultLease? lease = null;
        if (role.Flag("generate_lease"))
        {
            lease = new DevVaultLease
            {
                Id = $"{mount}{path}/{DevVaultText.Random()}",
                Owner = call.RequiredCaller,
                IssuedAt = call.Now,
                EndsAt = certificate.NotAfter,
                Renewable = false,
                End = at => _certificates.Revoke(PkiCertificates.Serial(certificate), at),
            };
            leases.Add(lease);
        }

        return new DevVaultReply
        {
            Data = data,
            Lease = lease,
            Warnings = warnings,
        };
    }

    private DevVaultReply Revoke(DevVaultCall call)
    {
        if (!call.Fields.Has("serial_number"))
        {
            throw new DevVaultRefusal(400, "The serial number or certificate to revoke must be provided.");
        }

        var serial = call.Fields.Text("serial_number").Replace('-', ':').ToLowerInvariant();
        if (serial.Length == 0)
        {
            throw new DevVaultRefusal(400, "The serial number must be provided");
        }

        if (_issuers.Holds(serial))
        {
            throw new DevVaultRefusal(400, "adding issuer to its own CRL is not allowed");
        }

        var at =
            _certificates.Revoke(serial, call.Now)
            ?? throw new DevVaultRefusal(400, $"certificate with serial {serial} not found.");
        return DevVaultReply.Of(
            new JsonObject
            {
                ["revocation_time"] = at.ToUnixTimeSeconds(),
                ["revocation_time_rfc3339"] = DevVaultDuration.ToText(at),
                ["state"] = "revoked",
            }
        );
    }

    private DevVaultReply SetAddresses(DevVaultCall call)
    {
        _crlAddresses = call.Fields.Has("crl_distribution_points")
            ? [.. call.Fields.List("crl_distribution_points").Take(8)]
            : _crlAddresses;
        return Addresses();
    }

    private DevVaultReply Addresses() =>
        DevVaultReply.Of(
            new JsonObject
            {
                ["crl_distribution_points"] = new JsonArray([
                    .. _crlAddresses.Select(address => JsonValue.Create(address)),
                ]),
                ["delta_crl_distribution_points"] = new JsonArray(),
                ["enable_templating"] = false,
                ["issuing_certificates"] = new JsonArray(),
                ["ocsp_servers"] = new JsonArray(),
            }
        );

    private DevVaultReply Certificate(DevVaultCall call, string serial)
    {
        var text = serial switch
        {
            "ca" or "ca_chain" => _issuers.Default.Pem,
            "crl" => PkiCertificates.Pem(Crl(call)),
            _ => null,
        };
        if (text is not null)
        {
            var file = new JsonObject
            {
                ["certificate"] = text,
                ["revocation_time"] = 0,
                ["revocation_time_rfc3339"] = "",
            };
            if (serial == "ca_chain")
            {
                file["ca_chain"] = text;
            }

            return DevVaultReply.Of(file);
        }

        return DevVaultReply.Of(
            _certificates.Show(serial.Replace('-', ':').ToLowerInvariant(), _issuers.Default.Id)
                ?? throw DevVaultRefusal.NoEntry()
        );
    }

    private DevVaultReply RawFile(DevVaultCall call)
    {
        var (type, bytes) = (call.Path, _issuers.First) switch
        {
            ("ca", var issuer) => ("application/pkix-cert", issuer?.Certificate.RawData),
            ("ca/pem", var issuer) => (
                "application/pem-certificate-chain",
                issuer is null ? null : Encoding.ASCII.GetBytes(issuer.Pem)
            ),
            ("ca_chain", var issuer) => (
                "application/pkix-cert",
                issuer is null ? null : Encoding.ASCII.GetBytes(issuer.Pem)
            ),
            ("crl", var issuer) => ("application/pkix-crl", issuer is null ? null : Crl(call)),
            (_, var issuer) => (
                "application/x-pem-file",
                issuer is null ? null : Encoding.ASCII.GetBytes(PkiCertificates.Pem(Crl(call)))
            ),
        };
        return new DevVaultReply
        {
            Status = bytes is null ? 204 : 200,
            Raw = bytes ?? [],
            ContentType = type,
        };
    }

    private byte[] Crl(DevVaultCall call) =>
        _certificates.Crl(
            _issuers.First ?? throw new DevVaultRefusal(500, "no default issuer currently configured"),
            call.Now
        );
}
