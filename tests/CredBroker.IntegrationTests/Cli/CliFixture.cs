using System.Text.Json;
using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>A stub broker, a token file and a folder, for one test.</summary>
internal sealed class CliFixture : IAsyncDisposable
{
    public const string LeaseId = "0199d3b0c0de7000800000000000abcd";
    public static readonly string[] Task =
    [
        "--process",
        "invoice-triage",
        "--task",
        "run-17",
        "--purpose",
        "find duplicates",
        "--action",
        "read",
    ];
    public static readonly DateTimeOffset Later = new(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private CliFixture(StubBroker broker) => Broker = broker;

    public StubBroker Broker { get; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("credbroker-cli-").FullName;

    public string TokenFile => Path.Combine(Folder, "token");

    /// <summary>Further variables of the command's environment.</summary>
    public Dictionary<string, string> Extra { get; } = [];

    public Dictionary<string, string> Environment =>
        new(Extra) { ["CREDBROKER_SERVER"] = Broker.Address.ToString(), ["CREDBROKER_TOKEN_FILE"] = TokenFile };

    public static async Task<CliFixture> StartAsync()
    {
        var fixture = new CliFixture(await StubBroker.StartAsync());
        await File.WriteAllTextAsync(fixture.TokenFile, "header.claims.signature\n");
        return fixture;
    }

    /// <summary>The stub issues this secret from now on, and takes it back.</summary>
    public CliFixture Issues(SecretResponse secret)
    {
        Issue(Broker, secret);
        return this;
    }

    /// <summary>This stub issues a secret from now on, and takes it back.</summary>
    public static void Issue(StubBroker broker, SecretResponse? secret = null) =>
        broker
            .On(
                "POST /v1/credentials",
                new()
                {
                    LeaseId = LeaseId,
                    Secret = secret ?? Database,
                    ExpiresAt = Later,
                    Decision = new("d-1", 3),
                },
                BrokerJson.Default.ExchangeResponse,
                201
            )
            .OnStatus($"DELETE /v1/credentials/{LeaseId}", 204);

    public Task<CliRun> RunAsync(params string[] args) => CliRun.RunAsync(Environment, args);

    public Task<CliRun> RunAtTerminalAsync(params string[] args) =>
        CliRun.RunAsync(Environment, atTerminal: true, args);

    /// <summary>The real program as a process of its own.</summary>
    public ChildProcess Start(params string[] args) =>
        ChildProcess.Start("dotnet", [CliRun.Program, .. args], Environment);

    public static DatabaseSecret Database { get; } =
        new()
        {
            Username = "cb-1_x",
            Password = "hunter2",
            Connection = new("billing-db", 5433, "billing", "verify-full"),
        };

    public static HoldResponse Hold { get; } =
        new()
        {
            HoldId = "h-1",
            Agent = "triage",
            Reason = "incident 42",
            PlacedBy = "person:https://idp#ada",
            PlacedAt = Later,
        };

    public static LeaseResponse Lease(string state = LeaseStates.Active, string task = "run-17") =>
        new()
        {
            LeaseId = LeaseId,
            State = state,
            Credential = "billing-readonly",
            Engine = "database",
            Task = new()
            {
                Id = task,
                Process = "invoice-triage",
                Purpose = "find duplicates",
            },
            Actions = ["read"],
            Decision = new("d-1", 3),
            OpenedAt = Later.AddMinutes(-10),
            ActivatedAt = Later.AddMinutes(-10),
            ExpiresAt = Later,
            Holder = new()
            {
                Agent = "triage",
                Proof = "oidc",
                Issuer = "https://idp",
                Subject = "s-1",
                Workload = "triage",
                Instance = "pod-7",
                Claims = new Dictionary<string, JsonElement> { ["azp"] = JsonElement.Parse("\"x\"") },
            },
            Owner = new("https://idp", "4afe", "finance-ops@acme.example"),
            RuleId = "triage-reads-billing",
        };

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
