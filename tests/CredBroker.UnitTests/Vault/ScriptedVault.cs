using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
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

    /// <summary>Answers 200 with these members, in the envelope of each of Vault's own answers.</summary>
    public static Func<HttpContext, Task> Answer(string members)
    {
        var body = JsonNode.Parse(members)!.AsObject();
        body["request_id"] = "b3a03bbc-c4f7-8cb6-cb14-8caf56832f16";
        return Raw(body.ToJsonString());
    }

    /// <summary>Answers 200 with this text and nothing else.</summary>
    public static Func<HttpContext, Task> Raw(string text) => context => context.Response.WriteAsync(text);

    /// <summary>Answers as Vault does where there is nothing to say.</summary>
    public static Task NoContentAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
