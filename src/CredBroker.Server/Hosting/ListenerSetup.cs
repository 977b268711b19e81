using System.Net;
using CredBroker.Server.Endpoints.Input;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace CredBroker.Server.Hosting;

/// <summary>Kestrel: the named listeners, and a bound on everything that a stranger can send.</summary>
internal static class ListenerSetup
{
    public static void UseBrokerListeners(this IWebHostBuilder host, ListenerOptions options)
    {
        host.UseKestrelCore().UseKestrelHttpsConfiguration();
        host.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            var limits = kestrel.Limits;

            // Bounded by each listener's own room: Kestrel's bound shuts out whoever comes, not whoever is idle.
            limits.MaxConcurrentConnections = null;
            limits.MaxRequestBodySize = RequestBody.MaxBytes;
            limits.MaxRequestLineSize = 8 * 1024;
            limits.MaxRequestHeaderCount = 64;

            // What one connection can send ahead of what is worked on; the rest waits at the sender.
            limits.MaxRequestBufferSize = 2 * RequestBody.MaxBytes;
            limits.Http2.InitialStreamWindowSize = RequestBody.MaxBytes;
            limits.Http2.InitialConnectionWindowSize = 8 * RequestBody.MaxBytes;
            limits.MaxRequestHeadersTotalSize = 32 * 1024;
            limits.MinRequestBodyDataRate = new(bytesPerSecond: 8 * 1024, gracePeriod: TimeSpan.FromSeconds(3));
            limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
            limits.Http2.MaxStreamsPerConnection = 100;

            Listen(kestrel, options.Agents, new(servesAgents: true, servesPeople: options.People is null, options));
            if (options.People is { } people)
            {
                Listen(kestrel, people, new(servesAgents: false, servesPeople: true, options));
            }

            if (options.Metrics is { } metrics)
            {
                Listen(kestrel, metrics, new(servesAgents: false, servesPeople: false, options, servesMetrics: true));
            }
        });
    }

    private static void Listen(KestrelServerOptions kestrel, ListenerAddressOptions options, Listener listener)
    {
        var (host, port) = (options.Address.Host, options.Address.Port);
        if (options.IsEverywhere)
        {
            kestrel.ListenAnyIP(port, Configure);
        }
        else if (host == "localhost" && port != 0)
        {
            kestrel.ListenLocalhost(port, Configure);
        }
        else
        {
            // A free port is found on one address, not on both that localhost means.
            var address = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? literal : IPAddress.Loopback;
            kestrel.Listen(address, port, Configure);
        }

        void Configure(ListenOptions listen)
        {
            listen.Use(next => connection => listener.ServeAsync(connection, next));
            UseTls(listen, options);
        }
    }

    private static void UseTls(ListenOptions listen, ListenerAddressOptions options)
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
