using System.Net;
using CredBroker.Server.Endpoints.Input;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CredBroker.Server.Hosting;

/// <summary>Kestrel: one listener, and a bound on everything that a stranger can send.</summary>
internal static class ListenerSetup
{
    public static void UseBrokerListener(this IWebHostBuilder host, ListenerOptions options)
    {
        host.UseKestrelCore().UseKestrelHttpsConfiguration();
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var limits = kestrel.Limits;
            limits.MaxConcurrentConnections = options.MaxConnections;
            limits.MaxRequestBodySize = RequestBody.MaxBytes;
            limits.MaxRequestLineSize = 8 * 1024;
            limits.MaxRequestHeaderCount = 64;
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MinRequestBodyDataRate = new(bytesPerSecond: 8 * 1024, gracePeriod: TimeSpan.FromSeconds(3));
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            limits.Http2.MaxStreamsPerConnection = 100;

            if (options.IsEverywhere)
            {
                kestrel.ListenAnyIP(options.Address.Port, listen => UseTls(listen, options));
            }
            else if (options.Address.Host == "localhost" && options.Address.Port != 0)
            {
                kestrel.ListenLocalhost(options.Address.Port, listen => UseTls(listen, options));
            }
            else
            {
                // A free port is found on one address, not on both that localhost means.
                var address = IPAddress.TryParse(options.Address.Host.Trim('[', ']'), out var literal)
                    ? literal
                    : IPAddress.Loopback;
                kestrel.Listen(address, options.Address.Port, listen => UseTls(listen, options));
            }
        });
    }

    private static void UseTls(ListenOptions listen, ListenerOptions options)
    {
        if (options.Address.Scheme == Uri.UriSchemeHttps)
        {
            var services = listen.ApplicationServices;
            var certificate = new ServerCertificate(
                options.CertificateFile,
                options.KeyFile,
                services.GetRequiredService<TimeProvider>(),
                services.GetRequiredService<ILogger<ServerCertificate>>()
            );
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = certificate.SelectAsync });
        }
    }
}
