using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CredBroker.Server.Hosting;

/// <summary>
/// The listener's certificate, read again when its file has changed, so that a short-lived one is renewed without a
/// restart. A file that cannot be read keeps the last good one.
/// </summary>
internal sealed partial class ServerCertificate(
    string certificateFile,
    string keyFile,
    TimeProvider time,
    ILogger<ServerCertificate> log
)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private SslStreamCertificateContext? _current;
    private DateTime _readVersion;
    private DateTimeOffset _lookedAt;

    /// <summary>What keeps these files from being used; null when nothing does.</summary>
    public static string? Fault(string certificateFile, string keyFile)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            return null;
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return e.Message;
        }
    }

    /// <summary>What a new connection is answered with.</summary>
    public ValueTask<SslServerAuthenticationOptions> SelectAsync(TlsHandshakeCallbackContext context) =>
        new(new SslServerAuthenticationOptions { ServerCertificateContext = Current() });

    private SslStreamCertificateContext Current()
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_current is not null && now - _lookedAt < LookEvery)
            {
                return _current;
            }

            _lookedAt = now;
            try
            {
                var version = File.GetLastWriteTimeUtc(certificateFile);
                if (_current is null || version != _readVersion)
                {
                    (_current, _readVersion) = (Read(), version);
                }
            }
            catch (Exception e)
                when (_current is not null
                    && e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException
                )
            {
                NotRead(e, certificateFile);
            }

            return _current;
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

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The server certificate {File} could not be read again; the last good one is used."
    )]
    private partial void NotRead(Exception exception, string file);
}
