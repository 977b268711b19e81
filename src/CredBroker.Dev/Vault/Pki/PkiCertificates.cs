using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using CredBroker.Dev.Vault.Values;

namespace CredBroker.Dev.Vault.Pki;

/// <summary>The certificates of one mount: which there are, which are revoked, and the CRL that says so.</summary>
internal sealed class PkiCertificates
{
    private static readonly TimeSpan CrlLife = TimeSpan.FromHours(72);

    private readonly Dictionary<string, Stored> _stored = new(StringComparer.Ordinal);
    private (byte[] Crl, DateTimeOffset Until)? _crl;
    private int _crlNumber;

    /// <summary>The serial numbers of all that are stored.</summary>
    public IEnumerable<string> Serials => _stored.Keys.Order(StringComparer.Ordinal);

    /// <summary>A serial number as Vault writes it: hex pairs with colons.</summary>
    public static string Serial(X509Certificate2 certificate) =>
        string.Join(
            ':',
            Convert.ToHexStringLower(certificate.SerialNumberBytes.Span).Chunk(2).Select(pair => new string(pair))
        );

    /// <summary>A CRL as PEM.</summary>
    public static string Pem(byte[] crl) => PemEncoding.WriteString("X509 CRL", crl);

    /// <summary>Takes a certificate up; what has ended is forgotten, as Vault's tidy does.</summary>
    public void Add(X509Certificate2 certificate, DateTimeOffset now)
    {
        if (_stored.Count >= DevVaultBounds.Certificates / 2)
        {
            foreach (var (serial, _) in _stored.Where(entry => entry.Value.EndsAt < now).ToList())
            {
                _stored.Remove(serial);
            }
        }

        DevVaultBounds.Check(_stored.Count, DevVaultBounds.Certificates, "certificates");
        _stored[Serial(certificate)] = new Stored(
            certificate.RawData,
            certificate.ExportCertificatePem(),
            certificate.NotAfter,
            null
        );
    }

    /// <summary>
    /// Revokes a certificate, once; returns when it was revoked, or null where it is not known. One that has ended by
    /// itself needs no revocation and stays off the CRL.
    /// </summary>
    public DateTimeOffset? Revoke(string serial, DateTimeOffset at)
    {
        if (_stored.GetValueOrDefault(serial) is not { } certificate)
        {
            return null;
        }

        if (certificate.RevokedAt is null && certificate.EndsAt > at)
        {
            _stored[serial] = certificate with { RevokedAt = at };
            _crl = null;
        }

        return _stored[serial].RevokedAt ?? certificate.EndsAt;
    }

    /// <summary>As <c>cert/&lt;serial&gt;</c> shows it.</summary>
    public JsonObject? Show(string serial, string issuerId)
    {
        if (_stored.GetValueOrDefault(serial) is not { } certificate)
        {
            return null;
        }

        var data = new JsonObject
        {
            ["certificate"] = certificate.Pem,
            ["revocation_time"] = certificate.RevokedAt?.ToUnixTimeSeconds() ?? 0,
            ["revocation_time_rfc3339"] = certificate.RevokedAt is { } at ? DevVaultDuration.ToText(at) : "",
        };
        if (certificate.RevokedAt is not null)
        {
            data["issuer_id"] = issuerId;
        }

        return data;
    }

    /// <summary>The CRL, signed anew when a revocation or its age asks for it.</summary>
    public byte[] Crl(PkiIssuer issuer, DateTimeOffset now)
    {
        if (_crl is not { } current || current.Until <= now)
        {
            var builder = new CertificateRevocationListBuilder();
            foreach (var entry in _stored.Values.Where(entry => entry.RevokedAt is not null))
            {
                using var certificate = X509CertificateLoader.LoadCertificate(entry.Der);
                builder.AddEntry(certificate, entry.RevokedAt!.Value);
            }

            var bytes = builder.Build(
                issuer.Certificate,
                new BigInteger(++_crlNumber),
                now + CrlLife,
                HashAlgorithmName.SHA256,
                RSASignaturePadding.Pkcs1,
                now
            );
            _crl = current = (bytes, now + (CrlLife / 2));
        }

        return current.Crl;
    }

    private sealed record Stored(byte[] Der, string Pem, DateTimeOffset EndsAt, DateTimeOffset? RevokedAt);
}
