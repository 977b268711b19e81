using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CredBroker.Dev;

/// <summary>
/// Makes the small HTTP servers of dev mode: loopback only, quiet, and independent of the process's own settings.
/// </summary>
internal static class LoopbackServer
{
    /// <summary>
    /// A server on 127.0.0.1 that takes bodies up to <paramref name="maxRequestBytes"/>; port 0 takes a free one.
    /// </summary>
    public static WebApplication Create(int port, long maxRequestBytes)
    {
        // The empty builder reads no appsettings and no environment: an ASPNETCORE_URLS meant for the broker must not
        // open this one to the network.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = maxRequestBytes;
                kestrel.Listen(IPAddress.Loopback, port);
            });
        builder.Services.AddSingleton<IHostLifetime, OwnersLifetime>();
        return builder.Build();
    }

    /// <summary>
    /// Whether a request names this machine by one of loopback's own names. A page in a browser here could reach a
    /// loopback port by a name that it controls (DNS rebinding) and read the answers; such a request is not answered.
    /// </summary>
    public static bool IsOwnName(HostString host) => host.Host is "127.0.0.1" or "localhost" or "[::1]";

    /// <summary>
    /// Signals belong to the process that owns the server: the usual lifetime would swallow a Ctrl+C, and the server
    /// outlive its owner.
    /// </summary>
    private sealed class OwnersLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
