using System.Text.Json;
using CredBroker.Server.Dev;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.Builder;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>
/// The real broker in dev mode, and token files of its dev issuer: what a newcomer has after the first command.
/// </summary>
public sealed class DevBroker : IAsyncLifetime
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private DevMode _dev = null!;
    private WebApplication _app = null!;

    public string Folder { get; } = Directory.CreateTempSubdirectory("credbroker-cli-").FullName;

    public string PolicyFile => _dev.PolicyFile;

    public async ValueTask InitializeAsync()
    {
        _dev = await DevMode.StartAsync(new DevModeOptions { Port = 0 }, default);
        _app = BrokerHost.Build(_dev.Settings, devMode: true);
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _dev.DisposeAsync();
        _http.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>What an agent of this instance has in its environment.</summary>
    internal Task<Dictionary<string, string>> AgentAsync(string instance, string agent = "triage") =>
        EnvironmentAsync($"agent={agent}&instance={instance}");

    /// <summary>What a person has.</summary>
    internal Task<Dictionary<string, string>> PersonAsync(string name) => EnvironmentAsync($"person={name}");

    private async Task<Dictionary<string, string>> EnvironmentAsync(string claims)
    {
        using var form = new StringContent(
            $"grant_type=client_credentials&{claims}",
            null,
            "application/x-www-form-urlencoded"
        );
        using var reply = await _http.PostAsync(new Uri($"{_dev.Issuer.Issuer}/token"), form);
        var token = JsonDocument
            .Parse(await reply.Content.ReadAsStringAsync())
            .RootElement.GetProperty("access_token")
            .GetString();
        var file = Path.Combine(Folder, $"token-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, token);
        return new() { ["CREDBROKER_SERVER"] = _app.Urls.Single(), ["CREDBROKER_TOKEN_FILE"] = file };
    }
}
