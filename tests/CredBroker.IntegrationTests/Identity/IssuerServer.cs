using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>
/// A real web server in an issuer's place, on a free loopback port: it answers as the test says and counts what it is
/// asked.
/// </summary>
internal sealed class IssuerServer : IAsyncDisposable
{
    public const string DiscoveryPath = "/.well-known/openid-configuration";
    public const string JwksPath = "/jwks";

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _answers = new();
    private readonly ConcurrentQueue<(string Path, string Authorization)> _requests = new();

    private IssuerServer(X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                System.Net.IPAddress.Loopback,
                0,
                listen =>
                {
                    if (certificate is not null)
                    {
                        listen.UseHttps(certificate);
                    }
                }
            )
        );
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>The address, which is the issuer too.</summary>
    public string Address =>
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyCollection<(string Path, string Authorization)> Requests => _requests;

    public static async Task<IssuerServer> StartAsync(X509Certificate2? certificate = null)
    {
        var server = new IssuerServer(certificate);
        await server._app.StartAsync();
        server.Serve(
            DiscoveryPath,
            () => $$"""{"issuer":"{{server.Address}}","jwks_uri":"{{server.Address}}{{JwksPath}}"}"""
        );
        return server;
    }

    public int Count(string path) => _requests.Count(r => r.Path == path);

    public void Serve(string path, string body) => Serve(path, () => body);

    public void Serve(string path, Func<string> body) => Serve(path, http => http.Response.WriteAsync(body()));

    public void Serve(string path, RequestDelegate answer) => _answers[path] = answer;

    public async ValueTask DisposeAsync()
    {
        using var impatient = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(impatient.Token);
        await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext http)
    {
        _requests.Enqueue((http.Request.Path, http.Request.Headers.Authorization.ToString()));
        if (_answers.TryGetValue(http.Request.Path, out var answer))
        {
            return answer(http);
        }

        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
