using System.IdentityModel.Tokens.Jwt;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Text;
using CredBroker.FaultHarness.Faults;
using CredBroker.FaultHarness.Watch;
using CredBroker.Testing;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using CredBroker.Vault;
using CredBroker.Vault.Setup;

namespace CredBroker.FaultHarness.Servers;

/// <summary>
/// Everything real: an OpenBao on raft that <c>vault setup</c> alone prepared, a PostgreSQL, the brokers as processes,
/// their store, and a <see cref="ChaosProxy"/> on each link between them. The harness itself looks past the proxies.
/// </summary>
internal sealed class Arena : IAsyncDisposable
{
    public const string Installation = "faults";

    /// <summary>How long OpenBao works on one request: the broker is told the same.</summary>
    private const string RequestLimit = "12s";

    private readonly TestIssuer _workloads;
    private readonly TestIssuer _people;
    private readonly Dictionary<string, string?> _settings;
    private int _revisions;

    private Arena(string folder, HarnessOptions options, ArenaStore store, TestBao vault, TestPostgres postgres)
    {
        (Folder, Store, Vault, Postgres) = (folder, store, vault, postgres);
        Calm = new(options.Brokers);
        DatabaseLink = new ChaosProxy(LoopbackPort.Next(), postgres.Port);
        _workloads = new("https://workloads.test", "credbroker", folder);
        _people = new("https://people.test", "credbroker-admin", folder);
        _settings = new()
        {
            ["Log:Level"] = "Information",
            ["Policy:File"] = PolicyFile,
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
            // So that what a replica lacks is noticed, however little it is.
            ["Jobs:Anchor"] = options.Failover == Failover.None ? null : "00:00:01",
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
        Brokers =
        [
            .. Enumerable
                .Range(0, options.Brokers)
                .Select(number => new ArenaBroker(number, folder, _settings, vault.Address.Port, store)),
        ];
    }

    public string Folder { get; }

    /// <summary>All of them have this one.</summary>
    public ArenaStore Store { get; }

    public IReadOnlyList<ArenaBroker> Brokers { get; }

    /// <summary>One of them. Where there is one only, nothing is thrown for it.</summary>
    public ArenaBroker Any(Dice dice) => Brokers.Count == 1 ? Brokers[0] : dice.Of(Brokers);

    /// <summary>What is broken now.</summary>
    public Calm Calm { get; }

    public TestBao Vault { get; }

    public TestPostgres Postgres { get; }

    /// <summary>From OpenBao to PostgreSQL.</summary>
    public ChaosProxy DatabaseLink { get; }

    private string PolicyFile => Path.Combine(Folder, "policy.yaml");

    public static async Task<Arena> StartAsync(HarnessOptions options)
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-faults-").FullName;
        ArenaStore store = options.StoreOnPostgres
            ? await PostgresStore.MakeAsync(folder, options.Brokers, options.Failover)
            : await SqliteStore.MakeAsync(folder);
        var vault = await TestBao.StartSealableAsync($"default_max_request_duration = \"{RequestLimit}\"");
        var arena = new Arena(folder, options, store, vault, await TestPostgres.StartAsync());
        try
        {
            await arena.PrepareAsync();
            await Task.WhenAll(arena.Brokers.Select(broker => broker.StartAsync(Log.Line)));
            return arena;
        }
        catch
        {
            await arena.DisposeAsync();
            throw;
        }
    }

    /// <summary>A workload's instance at each broker.</summary>
    public IReadOnlyList<AgentClient> Agent(string instance) =>
        [
            .. Brokers.Select(broker => new AgentClient(
                Connect(
                    broker,
                    () =>
                        _workloads.Token(
                            $"triage-{instance}",
                            claims => (claims["workload"], claims["instance"]) = ("triage", instance)
                        )
                )
            )),
        ];

    /// <summary>A person at each broker.</summary>
    public IReadOnlyList<AdminClient> Person(string role) =>
        [
            .. Brokers.Select(broker => new AdminClient(
                Connect(broker, () => _people.Token("ada", claims => claims["roles"] = new[] { role }))
            )),
        ];

    /// <summary>What a broker says of itself; null where it does not answer.</summary>
    public static async Task<HealthResponse?> HealthAsync(ArenaBroker broker)
    {
        try
        {
            return await Connect(broker, () => "").GetHealthAsync("issuing");
        }
        catch (Exception broken) when (broken is HttpRequestException or IOException or BrokerProblemException)
        {
            return null;
        }
    }

    /// <summary>
    /// Writes the policy anew; the broker sees it by itself. Each time another text: one that was in force before would
    /// be taken for a stale copy.
    /// </summary>
    public Task WritePolicyAsync(string? without = null) =>
        File.WriteAllTextAsync(PolicyFile, $"# revision {++_revisions}\n{Policy(without)}");

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in Brokers)
        {
            await broker.DisposeAsync();
        }

        await DatabaseLink.DisposeAsync();
        await Vault.DisposeAsync();
        await Postgres.DisposeAsync();
        _workloads.Dispose();
        _people.Dispose();
        await Store.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static BrokerConnection Connect(ArenaBroker broker, Func<string> token) =>
        new(broker.Http, TokenSource.From(_ => new(token())));

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
