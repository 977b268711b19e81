using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// The real thing: CredBroker.Server as it is started anywhere, with settings, policy and keys in files.
/// </summary>
internal static class RealBroker
{
    public const string Installation = "bench";
    private const string Files = "broker";
    private const string PolicyName = "policy.yaml";

    /// <param name="directory">Holds the settings, the policy, the Vault token and the database.</param>
    /// <param name="agents">Whose tokens it accepts.</param>
    /// <param name="vault">Where Vault is.</param>
    /// <param name="vaultToken">The broker's own token.</param>
    /// <param name="connectionStringFile">Leads to its PostgreSQL; null where its store is an SQLite file.</param>
    /// <param name="document">Its policy; null for the one that is measured with a Vault stub.</param>
    /// <param name="server">The assembly that is started; null for the one that this was built with.</param>
    /// <param name="isReady">When it counts as started; null for when it may issue.</param>
    public static async Task<Child> StartAsync(
        DirectoryInfo directory,
        Agents agents,
        Uri vault,
        string vaultToken,
        string? connectionStringFile = null,
        PolicyDocument? document = null,
        string? server = null,
        Func<Uri, CancellationToken, Task<bool>>? isReady = null
    )
    {
        var files = directory.CreateSubdirectory(Files);
        var policy = await WriteAsync(files, PolicyName, (document ?? BenchPolicy.Document).Text);
        var jwks = await WriteAsync(files, "jwks.json", agents.Jwks);
        var token = await WriteAsync(files, "vault-token", vaultToken);
        return await Child.StartAsync(
            "dotnet",
            port => [server ?? ServerAssembly, "--settings", WriteSettings(port)],
            isReady ?? IsIssuingAsync
        );

        string WriteSettings(int port)
        {
            var settings = new JsonObject
            {
                ["Listen"] = new JsonObject { ["Agents"] = new JsonObject { ["Url"] = $"http://127.0.0.1:{port}" } },
                ["Log"] = new JsonObject { ["Level"] = "Warning" },
                ["Identity"] = new JsonObject
                {
                    ["Audience"] = Agents.Audience,
                    ["Issuers"] = new JsonArray(
                        new JsonObject
                        {
                            ["Issuer"] = Agents.Issuer,
                            ["Jwks"] = new JsonObject { ["File"] = jwks },
                            ["WorkloadClaim"] = "sub",
                            ["InstanceClaim"] = "instance",
                            ["Claims"] = new JsonArray("run"),
                        },
                        new JsonObject
                        {
                            ["Issuer"] = Agents.PeopleIssuer,
                            ["Use"] = "people",
                            ["Audience"] = Agents.PeopleAudience,
                            ["Jwks"] = new JsonObject { ["File"] = jwks },
                            ["RolesClaim"] = "/roles",
                            ["Roles"] = new JsonObject
                            {
                                ["admin"] = new JsonArray("admin"),
                                ["auditor"] = new JsonArray("auditor"),
                            },
                        }
                    ),
                },
                ["Storage"] = connectionStringFile is null
                    ? new JsonObject { ["SqliteFile"] = Database(directory) }
                    : new JsonObject { ["Provider"] = "postgres", ["ConnectionStringFile"] = connectionStringFile },
                ["Policy"] = new JsonObject { ["File"] = policy },
                ["Vault"] = new JsonObject
                {
                    ["Address"] = vault.ToString(),
                    ["Installation"] = Installation,
                    ["TokenFile"] = token,
                },
            };
            var file = Path.Combine(files.FullName, "appsettings.json");
            File.WriteAllText(file, settings.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
            return file;
        }
    }

    /// <summary>The broker's database file. Not beside the policy, whose folder is watched.</summary>
    public static string Database(DirectoryInfo directory) =>
        Path.Combine(directory.FullName, "broker-store", "broker.db");

    /// <summary>The policy that the broker watches.</summary>
    public static string Policy(DirectoryInfo directory) => Path.Combine(directory.FullName, Files, PolicyName);

    private static string ServerAssembly => Path.Combine(AppContext.BaseDirectory, "CredBroker.Server.dll");

    private static async Task<string> WriteAsync(DirectoryInfo directory, string name, string text)
    {
        var file = Path.Combine(directory.FullName, name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private static async Task<bool> IsIssuingAsync(Uri address, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        try
        {
            using var answer = await http.GetAsync(new Uri(address, "/health/issuing"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
