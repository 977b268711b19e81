using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace CredBroker.Samples.Quickstart;

/// <summary>
/// What the agent wants to reach: a small TLS server that asks for a client certificate of the dev CA and reads the
/// CA's revocation list at every handshake. It greets whom it accepts by the name in the certificate and closes on
/// everybody else.
/// </summary>
internal sealed class BillingService : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly Func<CancellationToken, Task<byte[]>> _fetchRevocations;
    private readonly X509Certificate2 _own = SelfSigned();

    private BillingService(X509Certificate2 authority, Func<CancellationToken, Task<byte[]>> fetchRevocations) =>
        (_authority, _fetchRevocations) = (authority, fetchRevocations);

    /// <summary>
    /// Trusts the CA of a Vault's PKI mount: takes its certificate and its revocation list from their public addresses.
    /// </summary>
    public static async Task<BillingService> TrustAsync(HttpClient http, Uri vault, CancellationToken cancellationToken)
    {
        var authority = X509Certificate2.CreateFromPem(
            await http.GetStringAsync(new Uri(vault, "/v1/pki/ca/pem"), cancellationToken)
        );
        return new BillingService(authority, stop => http.GetByteArrayAsync(new Uri(vault, "/v1/pki/crl"), stop));
    }

    /// <summary>One handshake with a client that shows this certificate: what the service said and why.</summary>
    public async Task<(bool Accepted, string Words)> GreetAsync(
        X509Certificate2 client,
        CancellationToken cancellationToken
    )
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeAsync(listener, cancellationToken);
        var heard = await CallAsync((IPEndPoint)listener.LocalEndpoint, client, cancellationToken);
        var (accepted, words) = await serving;
        return accepted == (heard == words)
            ? (accepted, words)
            : throw new StoryFailedException($"The service said \"{words}\" and the agent heard \"{heard}\".");
    }

    public void Dispose()
    {
        _authority.Dispose();
        _own.Dispose();
    }

    private async Task<(bool Accepted, string Words)> ServeAsync(
        TcpListener listener,
        CancellationToken cancellationToken
    )
    {
        using var connection = await listener.AcceptTcpClientAsync(cancellationToken);
        var revoked = new RevocationList(await _fetchRevocations(cancellationToken), _authority);
        var words = "no certificate";
        await using var tls = new SslStream(connection.GetStream());
        try
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = _own,
                    ClientCertificateRequired = true,
                    RemoteCertificateValidationCallback = (_, shown, _, _) =>
                        shown is X509Certificate2 certificate
                        && (words = Judge(certificate, revoked)).StartsWith("hello", StringComparison.Ordinal),
                },
                cancellationToken
            );
            await tls.WriteAsync(Encoding.UTF8.GetBytes(words), cancellationToken);
            await tls.ShutdownAsync();
            return (true, words);
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException)
        {
            return (false, words);
        }
    }

    private string Judge(X509Certificate2 certificate, RevocationList revoked)
    {
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { _authority },
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            },
        };
        if (!chain.Build(certificate))
        {
            var reasons = chain.ChainStatus.Select(status =>
                status.Status == X509ChainStatusFlags.NotTimeValid ? "expired" : status.Status.ToString()
            );
            return $"refused: {string.Join(", ", reasons)}";
        }

        return revoked.Contains(certificate) ? "refused: revoked" : $"hello {Certificates.UriName(certificate)}";
    }

    /// <summary>The agent's side: empty where the service closed without a word.</summary>
    private async Task<string> CallAsync(
        IPEndPoint service,
        X509Certificate2 certificate,
        CancellationToken cancellationToken
    )
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(service, cancellationToken);
        await using var tls = new SslStream(connection.GetStream());
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "billing.example",
                    LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate,
                    RemoteCertificateValidationCallback = (_, shown, _, _) =>
                        shown?.GetCertHashString() == _own.GetCertHashString(),
                },
                cancellationToken
            );
            using var reader = new StreamReader(tls, Encoding.UTF8);
            return await reader.ReadToEndAsync(cancellationToken);
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException)
        {
            return "";
        }
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest(
            "CN=billing.example",
            key,
            HashAlgorithmName.SHA256
        ).CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1));
        return Certificates.Usable(certificate);
    }
}
