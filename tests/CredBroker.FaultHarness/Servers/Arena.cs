using System.IdentityModel.Tokens.Jwt;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Text;
using CredBroker.FaultHarness.Faults;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using CredBroker.Vault;
using CredBroker.Vault.Setup;

namespace CredBroker.FaultHarness.Servers;

/// <summary>
/// Everything real: an OpenBao on raft that <c>vault setup</c> alone prepared, a PostgreSQL, the broker as a process,
/// and a <see cref="ChaosProxy"/> on each of the two links between them. The harness itself looks past the proxies.
/// </summary>
internal sealed class Arena : IAsyncDisposable
{
    public const string Installation = "faults";

    /// <summary>How long OpenBao works on one request: the broker is told the same.</summary>
    private const string RequestLimit = "12s";

    private readonly TestIssuer _workloads;
    private readonly TestIssuer _people;
    private readonly Dictionary<string, string?> _settings;
    private readonly HttpClient _http;
    private int _starts;
    private int _revisions;

    private Arena(string folder, SmallDisk? disk, TestBao vault, TestPostgres postgres)
    {
        (Folder, Disk, Vault, Postgres) = (folder, disk, vault, postgres);
        Clock = WrongClock.Find(folder);
        VaultLink = new ChaosProxy(LoopbackPort.Next(), vault.Address.Port);
        DatabaseLink = new ChaosProxy(LoopbackPort.Next(), postgres.Port);
        _workloads = new("https://workloads.test", "credbroker", folder);
        _people = new("https://people.test", "credbroker-admin", folder);
        var address = $"http://127.0.0.1:{LoopbackPort.Next()}";
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(address),
            Timeout = TimeSpan.FromMinutes(2),
        };
        _settings = new()
        {
            ["Listen:Agents:Url"] = address,
            ["Log:Level"] = "Information",
            ["Storage:SqliteFile"] = StoreFile,
            ["Policy:File"] = PolicyFile,
            ["Vault:Address"] = $"http://127.0.0.1:{VaultLink.Port}",
            ["Vault:Installation"] = Installation,
            ["Vault:TokenFile"] = Path.Combine(folder, "vault-token"),
            ["Vault:ProbeInterval"] = "00:00:05",
            ["Vault:CallTimeout"] = "00:00:05",
            ["Vault:MintTimeout"] = "00:00:08",
            ["Vault:RevokeTimeout"] = "00:00:06",
            ["Leases:IssuanceDeadline"] = "00:00:10",
            ["Leases:VaultRequestLimit"] = "00:00:12",
            ["Leases:RetryDelayLimit"] = "00:00:02",
            ["Leases:RevocationTimeout"] = "00:00:08",
            ["Leases:ClaimTime"] = "00:00:10",
            // A crash here can leave more at once than a day in production does.
            ["Leases:StrayLimit"] = "50",
            ["Identity:Audience"] = "credbroker",
            ["Identity:Issuers:0:Issuer"] = _workloads.Issuer,
            ["Identity:Issuers:0:Algorithms:0"] = "ES256",
            ["Identity:Issuers:0:Jwks:File"] = _workloads.JwksFile,
            ["Identity:Issuers:0:WorkloadClaim"] = "workload",
            ["Identity:Issuers:0:InstanceClaim"] = "instance",
            ["Identity:Issuers:1:Issuer"] = _people.Issuer,
            ["Identity:Issuers:1:Use"] = "people",
            ["Identity:Issuers:1:Audience"] = _people.Audience,
            ["Identity:Issuers:1:Algorithms:0"] = "ES256",
            ["Identity:Issuers:1:Jwks:File"] = _people.JwksFile,
            ["Identity:Issuers:1:RolesClaim"] = "roles",
            ["Identity:Issuers:1:Roles:admin:0"] = "admin",
            ["Identity:Issuers:1:Roles:auditor:0"] = "auditor",
        };
    }

    public string Folder { get; }

    /// <summary>What the store lies on; null where none can be mounted.</summary>
    public SmallDisk? Disk { get; }

    /// <summary>The broker's; null where it cannot be changed.</summary>
    public WrongClock? Clock { get; }

    public TestBao Vault { get; }

    public TestPostgres Postgres { get; }

    /// <summary>From the broker to OpenBao.</summary>
    public ChaosProxy VaultLink { get; }

    /// <summary>From OpenBao to PostgreSQL.</summary>
    public ChaosProxy DatabaseLink { get; }

    public string StoreFile => Path.Combine(Folder, "store", "broker.db");

    public BrokerProcess Broker { get; private set; } = null!;

    private string PolicyFile => Path.Combine(Folder, "policy.yaml");

    public static async Task<Arena> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-faults-").FullName;
        var store = Directory.CreateDirectory(Path.Combine(folder, "store")).FullName;
        var disk = await SmallDisk.MountAsync(store, megabytes: 512);
        var vault = await TestBao.StartSealableAsync($"default_max_request_duration = \"{RequestLimit}\"");
        var arena = new Arena(folder, disk, vault, await TestPostgres.StartAsync());
        try
        {
            await arena.PrepareAsync();
            await arena.StartBrokerAsync();
            return arena;
        }
        catch
        {
            await arena.DisposeAsync();
            throw;
        }
    }

    public AgentClient Agent(string instance) =>
        new(
            Connect(() =>
                _workloads.Token(
                    $"triage-{instance}",
                    claims => (claims["workload"], claims["instance"]) = ("triage", instance)
                )
            )
        );

    public AdminClient Person(string role) =>
        new(Connect(() => _people.Token("ada", claims => claims["roles"] = new[] { role })));

    /// <summary>
    /// Writes the policy anew; the broker sees it by itself. Each time another text: one that was in force before would
    /// be taken for a stale copy.
    /// </summary>
    public Task WritePolicyAsync(string? without = null) =>
        File.WriteAllTextAsync(PolicyFile, $"# revision {++_revisions}\n{Policy(without)}");

    /// <summary>Starts the broker on its store, and again should it end before it listens.</summary>
    /// <param name="onRefused">Told why it did not start.</param>
    public async Task StartBrokerAsync(Action<string>? onRefused = null)
    {
        while (true)
        {
            try
            {
                Broker = await BrokerProcess.StartAsync(_settings, environment: Clock?.Environment);
                return;
            }
            catch (Xunit.Sdk.XunitException refused) when (onRefused is not null)
            {
                onRefused(refused.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            }
        }
    }

    public async Task KillBrokerAsync()
    {
        await Broker.KillAsync();
        await KeepLogAsync();
        await Broker.DisposeAsync();
    }

    /// <summary>What the broker said since it was started goes into a file of its own.</summary>
    public Task KeepLogAsync() =>
        File.WriteAllTextAsync(Path.Combine(Folder, $"broker-{++_starts:000}.log"), Broker.Output);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (Broker is not null)
        {
            await Broker.DisposeAsync();
        }

        await VaultLink.DisposeAsync();
        await DatabaseLink.DisposeAsync();
        await Vault.DisposeAsync();
        await Postgres.DisposeAsync();
        _workloads.Dispose();
        _people.Dispose();
        if (Disk is not null)
        {
            await Disk.DisposeAsync();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private BrokerConnection Connect(Func<string> token) => new(_http, TokenSource.From(_ => new(token())));

    private string Policy(string? without) =>
        ArenaPolicy.Text(Installation, Path.Combine(Folder, "billing-admin"), DatabaseLink.Port, without);

    private async Task PrepareAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(Folder, "billing-admin"), await Postgres.CreateAdminAsync());
        await WritePolicyAsync();
        var catalogue = Compile(Policy(null)).Credentials.Values;
        Compile(Policy(without: "i-0"));
        var plan = SetupPlan.For(Installation, catalogue);
        var options = new VaultOptions { Address = Vault.Address.ToString(), Installation = Installation };
        using (var setup = new SetupRun(options, new SecretText(Vault.RootToken), TimeProvider.System))
        {
            var report = await setup.ApplyAsync(plan, CancellationToken.None);
            if (plan.Faults.Count > 0 || !report.IsComplete)
            {
                throw Unprepared([.. plan.Faults, .. report.Findings.SelectMany(finding => finding.Details)]);
            }
        }

        await Vault.SendAsync(
            HttpMethod.Post,
            "secret/data/api/key",
            new JsonObject { ["data"] = new JsonObject { ["key"] = "a-value-of-the-harness" } }
        );
        var token = await Vault.SendAsync(HttpMethod.Post, $"auth/token/create/cb-{Installation}-broker");
        await File.WriteAllTextAsync(
            _settings["Vault:TokenFile"]!,
            token.GetProperty("auth").GetProperty("client_token").GetString()
        );
    }

    private static PolicySet Compile(string policy)
    {
        var compiled = PolicyCompiler.Compile(new() { Name = "policy.yaml", Text = policy });
        return compiled.Set ?? throw Unprepared(compiled.Faults);
    }

    private static InvalidOperationException Unprepared(IEnumerable<object> faults) => new(string.Join('\n', faults));
}
