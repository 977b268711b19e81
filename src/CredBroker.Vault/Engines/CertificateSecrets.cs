using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Engines;

/// <summary>
/// Mints a certificate: the agent's key certified, or key and certificate made by Vault. What comes back is
/// compared with what was asked for, because a PKI role with default settings signs the names that the CSR wishes for.
/// </summary>
internal static class CertificateSecrets
{
    public static VaultCall Call(
        IssuancePlan plan,
        VaultBinding.Pki pki,
        RenderedNames names,
        SecretText token,
        TimeSpan timeout
    ) =>
        new(HttpMethod.Post, VaultPaths.Mint(pki))
        {
            Body = VaultBodies.Of(
                new PkiRequest
                {
                    Csr = pki.Mode == PkiMode.Sign ? plan.Csr?.Pem : null,
                    CommonName = names.CommonName,
                    UriSans = names.Uri is { } uri ? [uri] : null,
                    AltNames = names.Dns,
                    Ttl = VaultBodies.Ttl(plan.Grant.Ttl),
                    PrivateKeyFormat = pki.Mode == PkiMode.Issue ? "pkcs8" : null,
                },
                VaultJson.Default.PkiRequest
            ),
            Token = token,
            Timeout = timeout,
        };

    public static MintOutcome Read(
        IssuancePlan plan,
        VaultBinding.Pki pki,
        RenderedNames names,
        VaultBody body,
        DateTimeOffset asked
    )
    {
        var handles = new SecretHandles(
            body.LeaseId is { Length: > 0 } leaseId ? leaseId : null,
            null,
            body.Text("serial_number") ?? ""
        );
        if (body.Text("certificate") is not { Length: > 0 } pem || Parse(pem) is not { } certificate)
        {
            return Wrong("it is no certificate", handles);
        }

        using (certificate)
        {
            var keyPem = body.Text("private_key");
            using var made = pki.Mode == PkiMode.Issue ? ParseKey(keyPem) : null;
            var key = pki.Mode == PkiMode.Sign ? plan.Csr?.PublicKey : made?.ExportSubjectPublicKeyInfo();
            var isLeased =
                handles.VaultLeaseId?.StartsWith(VaultPaths.Mint(pki) + "/", StringComparison.Ordinal) is true;
            var fault = (isLeased, key) switch
            {
                (false, _) => "it has no lease under its role, so it could not be revoked",
                (true, null) => "it came without its key",
                (true, { } itsKey) => CertificateCheck.FaultOf(certificate, names, itsKey, asked, plan.Grant.Ttl),
            };
            if (fault is not null)
            {
                return Wrong(fault, handles);
            }

            var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
            var secret = new IssuedSecret.Certificate(
                pem,
                Chain(body),
                handles.PublicName,
                made is null ? null : new SecretText(keyPem!)
            );
            return new MintOutcome.Minted(secret, handles, end, end);
        }
    }

    private static IReadOnlyList<string> Chain(VaultBody body)
    {
        if (
            body.Data.TryGetProperty("ca_chain", out var chain)
            && chain.ValueKind == JsonValueKind.Array
            && chain.GetArrayLength() > 0
        )
        {
            return [.. chain.EnumerateArray().Select(item => item.GetString() ?? "")];
        }

        return body.Text("issuing_ca") is { Length: > 0 } issuer ? [issuer] : [];
    }

    private static X509Certificate2? Parse(string pem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static AsymmetricAlgorithm? ParseKey(string? pem)
    {
        foreach (var empty in new Func<AsymmetricAlgorithm>[] { ECDsa.Create, RSA.Create })
        {
            var key = empty();
            try
            {
                key.ImportFromPem(pem);
                return key;
            }
            catch (Exception fault) when (fault is CryptographicException or ArgumentException)
            {
                key.Dispose();
            }
        }

        return null;
    }

    private static MintOutcome.Wrong Wrong(string fault, SecretHandles handles) =>
        new(
            new Refusal(
                RefusalCode.SecretNotAsAsked,
                $"Vault's certificate is not what was asked for ({fault}); it is not delivered, and is being revoked."
            ),
            handles
        );
}
