using System.Text.Json;
using CredBroker.Client;
using CredBroker.Server.Dev;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Configuration;

namespace CredBroker.Samples.Quickstart;

/// <summary>
/// The broker as <c>CredBroker.Server --dev</c> runs it, in this process: real Kestrel, real store, real policy, and
/// the Vault and identity provider of dev mode.
/// </summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private readonly WebApplication _application;

    private LocalBroker(DevMode dev, WebApplication application)
    {
        (Dev, _application) = (dev, application);
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(application.Urls.Single()),
        };
    }

    /// <summary>The Vault, the identity provider, the policy.</summary>
    public DevMode Dev { get; }

    /// <summary>For calls to the broker.</summary>
    public HttpClient Http { get; }

    /// <summary>Where the broker listens.</summary>
    public Uri Address => Http.BaseAddress!;

    /// <summary>Starts it on free ports, or on the usual ones where they are free and it is to be kept.</summary>
    public static async Task<LocalBroker> StartAsync(bool usualPorts, CancellationToken cancellationToken)
    {
        try
        {
            return await StartAsync(usualPorts ? new DevModeOptions().Port : 0, cancellationToken);
        }
        catch (IOException fault) when (usualPorts && fault.InnerException is AddressInUseException)
        {
            // Somebody took one since it was found free.
            return await StartAsync(port: 0, cancellationToken);
        }
    }

    private static async Task<LocalBroker> StartAsync(int port, CancellationToken cancellationToken)
    {
        var quiet = new ConfigurationBuilder().AddInMemoryCollection([new("Log:Level", "Error")]).Build();
        var dev = await DevMode.StartAsync(new DevModeOptions { Settings = quiet, Port = port }, cancellationToken);
        WebApplication? application = null;
        try
        {
            application = BrokerHost.Build(dev.Settings, devMode: true);
            await application.StartAsync(cancellationToken);
            return new LocalBroker(dev, application);
        }
        catch
        {
            await (application?.DisposeAsync() ?? ValueTask.CompletedTask);
            await dev.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// What to try by hand; <c>credbroker</c> is the one that was built with this program, so that it needs no build
    /// and runs in any folder.
    /// </summary>
    public string Describe() =>
        Dev.Describe(Address, $"dotnet \"{Path.Combine(AppContext.BaseDirectory, "credbroker.dll")}\"");

    /// <summary>The token of an instance of an agent, from the dev issuer.</summary>
    public Task<string> AgentTokenAsync(string agent, string instance, CancellationToken cancellationToken) =>
        TokenAsync([new("agent", agent), new("instance", instance)], cancellationToken);

    /// <summary>
    /// A client that speaks for an instance of an agent; it asks for a new token with every call, as agents on real
    /// platforms do.
    /// </summary>
    public AgentClient Agent(string agent, string instance) =>
        new(Connect(cancellationToken => AgentTokenAsync(agent, instance, cancellationToken)));

    /// <summary>A client that speaks for a person of dev mode.</summary>
    public AdminClient Person(string person) =>
        new(Connect(cancellationToken => TokenAsync([new("person", person)], cancellationToken)));

    /// <summary>How the broker is.</summary>
    public ValueTask<HealthResponse> GetHealthAsync(string probe, CancellationToken cancellationToken) =>
        Connect(_ => throw new InvalidOperationException("Health needs no token."))
            .GetHealthAsync(probe, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _application.StopAsync();
        await _application.DisposeAsync();
        await Dev.DisposeAsync();
    }

    private BrokerConnection Connect(Func<CancellationToken, Task<string>> token) =>
        new(Http, TokenSource.From(async cancellationToken => await token(cancellationToken)));

    private async Task<string> TokenAsync(
        IEnumerable<KeyValuePair<string, string>> who,
        CancellationToken cancellationToken
    )
    {
        using var form = new FormUrlEncodedContent([new("grant_type", "client_credentials"), .. who]);
        using var response = await Http.PostAsync(new Uri(Dev.Issuer.Address, "/token"), form, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var reply = await JsonDocument.ParseAsync(
            await response.Content.ReadAsStreamAsync(cancellationToken),
            cancellationToken: cancellationToken
        );
        return reply.RootElement.GetProperty("access_token").GetString()!;
    }
}
