using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CredBroker.Server.Hosting;

/// <summary>
/// The listener's certificate, read again when its file has changed, so that a short-lived one is renewed without a restart.
/// A file that cannot be read keeps the last good one.
/// </summary>
internal sealed partial class ServerCertificate(string certificateFile, string keyFile, TimeProvider time, ILogger<ServerCertificate> log)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private SslStreamCertificateContext? current;
    private DateTime readVersion;
    private DateTimeOffset lookedAt;

    /// <summary>What keeps these files from being used; null when nothing does.</summary>
    public static string? Fault(string certificateFile, string keyFile)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return e.Message;
        }
    }

    /// <summary>What a new connection is answered with.</summary>
    public ValueTask<SslServerAuthenticationOptions> SelectAsync(TlsHandshakeCallbackContext context) =>
        new(new SslServerAuthenticationOptions { ServerCertificateContext = Current() });

    private SslStreamCertificateContext Current()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (current is not null && now - lookedAt < LookEvery)
            {
                return current;
            }

            lookedAt = now;
            try
            {
                var version = File.GetLastWriteTimeUtc(certificateFile);
                if (current is null || version != readVersion)
                {
                    (current, readVersion) = (Read(), version);
                }
            }
            catch (Exception e) when (current is not null && e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
            {
                NotRead(e, certificateFile);
            }

            return current;
        }
    }

    private SslStreamCertificateContext Read()
    {
        using var pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);

        // Round trip: a certificate whose key is only in memory as PEM is not accepted by every platform's TLS.
        var leaf = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(certificateFile);
        return SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The server certificate {File} could not be read again; the last good one is used.")]
    private partial void NotRead(Exception exception, string file);
}
