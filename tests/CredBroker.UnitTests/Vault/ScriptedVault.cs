using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Vault;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CredBroker.UnitTests.Vault;

/// <summary>
/// A listener on loopback that answers as a test says, where a real Vault would have to be brought to misbehave.
/// </summary>
internal sealed class ScriptedVault : IAsyncDisposable
{
    private readonly WebApplication _application;

    private ScriptedVault(WebApplication application) => _application = application;

    public Uri Address => new(_application.Urls.Single());

    /// <summary>Every request that came, in order: method and path.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>The headers of the newest request.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    public static async Task<ScriptedVault> StartAsync(
        Func<HttpContext, Task> answer,
        X509Certificate2? certificate = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listener =>
                {
                    if (certificate is not null)
                    {
                        listener.UseHttps(certificate);
                    }
                }
            )
        );
        var application = builder.Build();
        var vault = new ScriptedVault(application);
        application.Run(async context =>
        {
            vault.Requests.Enqueue($"{context.Request.Method} {context.Request.Path.Value![4..]}");
            vault.Headers = context.Request.Headers.ToDictionary(
                header => header.Key,
                header => header.Value.ToString()
            );
            await answer(context);
        });
        await application.StartAsync();
        return vault;
    }

    /// <summary>Settings for a client of it; the token file holds <paramref name="token"/>.</summary>
    public VaultOptions Options(string tokenFile = "unused") =>
        new()
        {
            Address = Address.ToString(),
            Installation = "test",
            TokenFile = tokenFile,
        };

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
