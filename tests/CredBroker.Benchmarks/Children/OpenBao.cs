using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Benchmarks.Load;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Text;
using CredBroker.Vault;
using CredBroker.Vault.Setup;

namespace CredBroker.Benchmarks.Children;

/// <summary>A real OpenBao (or Vault) in memory, and the operator's calls that prepare it.</summary>
internal sealed class OpenBao : IAsyncDisposable
{
    public const string NotFound = "no OpenBao or Vault binary; set CREDBROKER_TEST_BAO or put bao or vault on PATH";

    public const string RootToken = "root";
    private readonly HttpClient _http;

    private OpenBao(Child child)
    {
        Child = child;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = child.Address };
        _http.DefaultRequestHeaders.Add("X-Vault-Token", RootToken);
    }

    public Child Child { get; }

    /// <summary>
    /// The program that <c>CREDBROKER_TEST_BAO</c> names, else <c>bao</c> or <c>vault</c> on PATH; null where there is
    /// none.
    /// </summary>
    public static string? FindBinary()
    {
        if (Environment.GetEnvironmentVariable("CREDBROKER_TEST_BAO") is { Length: > 0 } set)
        {
            return set;
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        return folders
            .SelectMany(folder => new[] { Path.Combine(folder, "bao"), Path.Combine(folder, "vault") })
            .FirstOrDefault(File.Exists);
    }

    public static async Task<OpenBao> StartAsync(string binary) =>
        new(
            await Child.StartAsync(
                binary,
                port =>
                    [
                        "server",
                        "-dev",
                        "-dev-no-store-token",
                        $"-dev-root-token-id={RootToken}",
                        $"-dev-listen-address=127.0.0.1:{port}",
                        "-log-level=warn",
                    ],
                IsUnsealedAsync
            )
        );

    /// <summary>
    /// Makes what <c>credbroker vault setup</c> makes for these credentials of a policy, and returns a token of the broker's.
    /// </summary>
    public async Task<string> SetUpAsync(PolicyDocument policy, params string[] credentials)
    {
        var compilation = PolicyCompiler.Compile(policy);
        var set = compilation.Set ?? throw new InvalidOperationException(string.Join('\n', compilation.Faults));
        var plan = SetupPlan.For(RealBroker.Installation, credentials.Select(name => set.Credentials[name]));
        var options = new VaultOptions { Address = Child.Address.ToString(), Installation = RealBroker.Installation };
        using var run = new SetupRun(options, new SecretText(RootToken), TimeProvider.System);
        var report = plan.Faults.Count > 0 ? null : await run.ApplyAsync(plan, CancellationToken.None);
        if (report is not { IsComplete: true })
        {
            var faults =
                report?.Findings.SelectMany(finding => finding.Details.Prepend(finding.Step.Path)) ?? plan.Faults;
            throw new InvalidOperationException($"OpenBao was not set up:\n{string.Join('\n', faults)}");
        }

        var made = await PostAsync($"auth/token/create/{new VaultNames(RealBroker.Installation).Broker}", []);
        return made.GetProperty("auth").GetProperty("client_token").GetString()!;
    }

    /// <summary>
    /// Asks for a token that a secret can hang on, as the broker does; named after a lease of this number, as is the user.
    /// </summary>
    public static byte[] ChildTokenRequest(string credential, int number, string token) =>
        HttpConnection.Request(
            "POST",
            $"/v1/auth/token/create/cb-bench-{credential}",
            $"X-Vault-Token: {token}\r\n",
            $$"""{"ttl":"630s","display_name":"cb-{{number:x32}}"}"""
        );

    /// <summary>
    /// Lets the agents log in by themselves, as role <c>agent</c> of <c>auth/jwt</c>, each call of theirs one that the
    /// policy permits. As the broker's, their tokens have no default policy, which would halve their speed.
    /// </summary>
    public async Task LetInAsync(Agents agents, string policy)
    {
        await PostAsync("sys/auth/jwt", new() { ["type"] = "jwt" });
        await PostAsync(
            "auth/jwt/config",
            new() { ["jwt_validation_pubkeys"] = new JsonArray(agents.PublicKeyPem), ["bound_issuer"] = Agents.Issuer }
        );
        await PostAsync("sys/policies/acl/agent", new() { ["policy"] = policy });
        await PostAsync(
            "auth/jwt/role/agent",
            new()
            {
                ["role_type"] = "jwt",
                ["user_claim"] = "sub",
                ["bound_audiences"] = new JsonArray(Agents.Audience),
                ["token_policies"] = new JsonArray("agent"),
                ["token_no_default_policy"] = true,
                ["token_ttl"] = "10m",
            }
        );
    }

    /// <summary>How many leases OpenBao lists under a prefix.</summary>
    public async Task<int> CountLeasesAsync(string prefix)
    {
        using var request = new HttpRequestMessage(new HttpMethod("LIST"), $"/v1/sys/leases/lookup/{prefix}");
        using var answer = await _http.SendAsync(request);
        if (answer.StatusCode == HttpStatusCode.NotFound)
        {
            return 0;
        }

        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("data")
            .GetProperty("keys")
            .GetArrayLength();
    }

    /// <summary>One of the operator's calls; <paramref name="path"/> is below <c>/v1/</c>.</summary>
    public async Task<JsonElement> PostAsync(string path, JsonObject body)
    {
        using var answer = await _http.PostAsJsonAsync("/v1/" + path, body);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}: {text}");
        }

        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Child.DisposeAsync();
    }

    private static async Task<bool> IsUnsealedAsync(Uri address, CancellationToken cancellationToken)
    {
        using var probe = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        try
        {
            // The dev server makes its secret/ mount last.
            using var request = new HttpRequestMessage(
                HttpMethod.Get,
                new Uri(address, "/v1/sys/internal/ui/mounts/secret")
            )
            {
                Headers = { { "X-Vault-Token", RootToken } },
            };
            using var answer = await probe.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
