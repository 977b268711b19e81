using System.Text.Json.Nodes;
using CredBroker.FaultHarness.Servers;
using CredBroker.Testing.Servers;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// Asks OpenBao, with the operator's token and past the proxy, what is alive. An answer of null means that it cannot be
/// asked now.
/// </summary>
internal sealed class VaultReader(TestBao vault)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The ids of all Vault leases of database users.</summary>
    public async Task<IReadOnlyList<string>?> DatabaseLeasesAsync()
    {
        var ids = new List<string>();
        foreach (var credential in ArenaPolicy.Databases)
        {
            var prefix = $"database/creds/cb-{Arena.Installation}-{credential}/";
            if (await ListAsync($"sys/leases/lookup/{prefix}") is not { } keys)
            {
                return null;
            }

            ids.AddRange(keys.Select(key => prefix + key));
        }

        return ids;
    }

    /// <summary>The accessors of all tokens.</summary>
    public Task<IReadOnlyList<string>?> AccessorsAsync() => ListAsync("auth/token/accessors");

    /// <summary>
    /// Whether the token of this accessor can be used. One that OpenBao has begun to take back is still found, without
    /// any life or use left: it lets nobody in.
    /// </summary>
    public async Task<bool?> IsAliveAsync(string accessor) =>
        await CallAsync(
            HttpMethod.Post,
            "auth/token/lookup-accessor",
            new JsonObject { ["accessor"] = accessor }
        ) switch
        {
            (200, { } body) => body["data"]!["ttl"]!.GetValue<long>() > 0
                && body["data"]!["num_uses"]!.GetValue<long>() >= 0,
            (400 or 403 or 404, _) => false,
            _ => null,
        };

    /// <summary>Whether the token itself lets its holder in.</summary>
    public async Task<bool?> LetsInAsync(string token) =>
        await CallAsync(HttpMethod.Get, "auth/token/lookup-self", null, token) switch
        {
            (200, _) => true,
            (403, _) => false,
            _ => null,
        };

    private async Task<IReadOnlyList<string>?> ListAsync(string path) =>
        await CallAsync(new HttpMethod("LIST"), path) switch
        {
            (200, var body) => [.. body!["data"]!["keys"]!.AsArray().Select(key => key!.GetValue<string>())],
            (404, _) => [],
            _ => null,
        };

    private async Task<(int Status, JsonNode? Body)?> CallAsync(
        HttpMethod method,
        string path,
        JsonNode? body = null,
        string? token = null
    )
    {
        using var limit = new CancellationTokenSource(Patience, TimeProvider.System);
        try
        {
            using var answer = await vault.CallAsync(method, path, body, token, limit.Token);
            var text = await answer.Content.ReadAsStringAsync(limit.Token);
            return ((int)answer.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
        }
        catch (Exception down) when (down is HttpRequestException or OperationCanceledException or IOException)
        {
            return null;
        }
    }
}
