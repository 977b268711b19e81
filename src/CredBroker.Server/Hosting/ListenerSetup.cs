using System.Net;
using CredBroker.Server.Endpoints.Input;

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
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            limits.Http2.MaxStreamsPerConnection = 100;

            void Configure(Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions listen)
            {
                if (options.Address.Scheme == Uri.UriSchemeHttps)
                {
                    var certificate = new ServerCertificate(options.CertificateFile, options.KeyFile, kestrel.ApplicationServices.GetRequiredService<TimeProvider>(),
                        kestrel.ApplicationServices.GetRequiredService<ILogger<ServerCertificate>>());
                    listen.UseHttps(new Microsoft.AspNetCore.Server.Kestrel.Https.TlsHandshakeCallbackOptions { OnConnection = certificate.SelectAsync });
                }
            }

            if (options.Address.Host == "localhost" && options.Address.Port != 0)
            {
                kestrel.ListenLocalhost(options.Address.Port, Configure);
            }
            else if (options.IsEverywhere)
            {
                kestrel.ListenAnyIP(options.Address.Port, Configure);
            }
            else
            {
                kestrel.Listen(options.Address.IsLoopback && options.Address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Address.Host.Trim('[', ']')), options.Address.Port, Configure);
            }
        });
    }
}
