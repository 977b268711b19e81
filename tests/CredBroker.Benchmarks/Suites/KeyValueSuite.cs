using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Benchmarks.Children;
using CredBroker.Benchmarks.Load;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// Target 2: a KV secret through the broker, beside an agent that logs in to the same OpenBao with the same token and
/// reads the secret itself.
/// </summary>
internal static class KeyValueSuite
{
    private const int Concurrency = 32;
    private const int Returning = 1_000;
    private const string SecretPath = "secret/data/bench/api-key";

    public static async Task RunAsync(BenchOptions options)
    {
        Report.PrintTitle("kv: a KV secret from a real OpenBao; CPU of the broker + of OpenBao");
        if (OpenBao.FindBinary() is not { } binary)
        {
            Console.WriteLine(
                "  skipped: no OpenBao or Vault binary; set CREDBROKER_TEST_BAO or put bao or vault on PATH"
            );
            return;
        }

        using var agents = new Agents();
        using var directory = new BenchDirectory(options);
        await using var bao = await OpenBao.StartAsync(binary);
        var brokerToken = await PrepareAsync(bao, agents);
        await using var broker = await RealBroker.StartAsync(directory.Info, agents, bao.Child.Address, brokerToken);
        var tokens = agents.Mint(options.Tokens);
        var exchanges = ExchangeRequests.Of(tokens, "api-key");
        byte[][] logins =
        [
            .. tokens.Select(token =>
                HttpConnection.Request(
                    "POST",
                    "/v1/auth/jwt/login",
                    "X-Vault-Request: true\r\n",
                    $$"""{"role":"agent","jwt":"{{token}}"}"""
                )
            ),
        ];
        Contender[] contenders =
        [
            Exchanging("broker", tokens.Length),
            Exchanging($"broker, {Returning:N0} tokens", Math.Min(Returning, tokens.Length)),
            new(
                "agent alone",
                [bao.Child.Address],
                [bao.Child.CpuTime],
                (connection, index) => LogInAndReadAsync(connection, logins[index % logins.Length])
            ),
        ];
        var atThirtyTwo = options with { Concurrency = [Concurrency] };
        await Rounds.WarmUpAsync(contenders, atThirtyTwo);
        Report.PrintContenders(contenders, await Rounds.RunAsync(contenders, Concurrency, options), Concurrency);

        Contender Exchanging(string name, int count) =>
            new(
                name,
                [broker.Address],
                [broker.CpuTime, bao.Child.CpuTime],
                (connection, index) => connection.SendAsync(exchanges[index % count])
            );
    }

    private static async ValueTask<HttpAnswer> LogInAndReadAsync(HttpConnection connection, byte[] login)
    {
        var answer = await connection.SendAsync(login);
        return answer.IsSuccess
            ? await connection.SendAsync(
                HttpConnection.Request("GET", "/v1/" + SecretPath, $"X-Vault-Token: {TokenOf(answer)}\r\n")
            )
            : answer;
    }

    private static string TokenOf(HttpAnswer login)
    {
        var name = "\"client_token\":\""u8;
        var rest = login.Body.Span[(login.Body.Span.IndexOf(name) + name.Length)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')]);
    }

    /// <summary>
    /// The secret, the agents' own way to it, and the broker's. Both get tokens without the default policy, which would
    /// halve their speed.
    /// </summary>
    private static async Task<string> PrepareAsync(OpenBao bao, Agents agents)
    {
        await bao.PostAsync(SecretPath, new() { ["data"] = new JsonObject { ["apiKey"] = "k-1f0c2d8e7b" } });

        await bao.PostAsync("sys/auth/jwt", new() { ["type"] = "jwt" });
        await bao.PostAsync(
            "auth/jwt/config",
            new() { ["jwt_validation_pubkeys"] = new JsonArray(agents.PublicKeyPem), ["bound_issuer"] = Agents.Issuer }
        );
        await bao.PostAsync("sys/policies/acl/agent", new() { ["policy"] = Permit((SecretPath, "read")) });
        await bao.PostAsync(
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

        const string broker = $"cb-{RealBroker.Installation}-broker";
        const string probe = $"cb-{RealBroker.Installation}-probe";
        await bao.PostAsync($"sys/policies/acl/{probe}", new() { ["policy"] = Permit(("cb-nothing", "deny")) });
        await bao.PostAsync(
            $"auth/token/roles/{probe}",
            new()
            {
                ["allowed_policies"] = new JsonArray(probe),
                ["orphan"] = true,
                ["renewable"] = true,
                ["token_no_default_policy"] = true,
                ["token_explicit_max_ttl"] = "120s",
                ["token_type"] = "service",
            }
        );
        await bao.PostAsync(
            $"sys/policies/acl/{broker}",
            new()
            {
                ["policy"] = Permit(
                    (SecretPath, "read"),
                    ($"auth/token/create/{probe}", "update"),
                    ("auth/token/revoke-accessor", "update"),
                    ("auth/token/lookup-accessor", "update"),
                    ("auth/token/renew-accessor", "update"),
                    ("auth/token/lookup-self", "read"),
                    ("auth/token/renew-self", "update"),
                    ("sys/leases/revoke", "update")
                ),
            }
        );
        var made = await bao.PostAsync(
            "auth/token/create",
            new()
            {
                ["policies"] = new JsonArray(broker),
                ["no_default_policy"] = true,
                ["no_parent"] = true,
                ["period"] = "24h",
            }
        );
        return made.GetProperty("auth").GetProperty("client_token").GetString()!;
    }

    private static string Permit(params ReadOnlySpan<(string Path, string Capability)> permissions)
    {
        var text = new StringBuilder();
        foreach (var (path, capability) in permissions)
        {
            text.Append("path \"").Append(path).Append("\" { capabilities = [\"").Append(capability).Append("\"] }\n");
        }

        return text.ToString();
    }
}
