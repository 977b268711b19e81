using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Dev;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>A DevVault and plain HTTP to it.</summary>
internal sealed class DevVaultClient(DevVault vault, bool ownsVault = true) : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false })
    {
        BaseAddress = vault.Address,
    };

    public DevVault Vault => vault;

    public HttpClient Http => _http;

    public static async Task<DevVaultClient> StartAsync(TimeProvider? time = null) =>
        new(
            await DevVault.StartAsync(
                new DevVaultOptions { Time = time ?? TimeProvider.System },
                TestContext.Current.CancellationToken
            )
        );

    /// <summary>Calls a path below <c>/v1/</c>, with the root token unless another is given.</summary>
    public async Task<(HttpStatusCode Status, JsonNode? Json)> CallAsync(
        string method,
        string path,
        string? body = null,
        string? token = null
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/" + path);
        request.Headers.Add("X-Vault-Token", token ?? vault.RootToken);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>The same, where only success will do.</summary>
    public async Task<JsonNode> GetAsync(string method, string path, string? body = null, string? token = null)
    {
        var (status, json) = await CallAsync(method, path, body, token);
        Assert.True((int)status < 300, $"{method} {path}: {status} {json?.ToJsonString()}");
        return json ?? new JsonObject();
    }

    /// <summary>A token with one policy, that policy made too.</summary>
    public async Task<(string Token, string Accessor)> TokenAsync(string policy, string ttl)
    {
        await GetAsync("PUT", "sys/policies/acl/test", new JsonObject { ["policy"] = policy }.ToJsonString());
        var auth = (
            await GetAsync(
                "POST",
                "auth/token/create",
                $$"""{"policies":["test"],"no_default_policy":true,"ttl":"{{ttl}}"}"""
            )
        )["auth"]!;
        return (auth["client_token"]!.ToString(), auth["accessor"]!.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (ownsVault)
        {
            await vault.DisposeAsync();
        }
    }
}
