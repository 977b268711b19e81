using System.IdentityModel.Tokens.Jwt;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CredBroker.Client;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// Everything real: an OpenBao that <c>vault setup --apply</c> alone prepared, a PostgreSQL behind its database engine,
/// the server as a process, an OIDC issuer's tokens and a recorded SPIRE JWT-SVID.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    public const string Credential = "billing-readonly";
    private const string Installation = "e2e";
    private const string Anchor = $"cb-{Installation}-anchor/data/store";
    private const string AnyAgent = "agent in [\"triage\", \"triage-spire\"]";

    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-e2e-").FullName;
    private readonly TestIssuer _workloads;
    private readonly TestIssuer _people;

    // Further entries of the catalogue, as lines of the policy.
    private string _moreCredentials = "";

    // Where the store is PostgreSQL.
    private PostgresSchema? _store;

    private World(TestBao vault, TestPostgres postgres)
    {
        (Vault, Postgres) = (vault, postgres);
        _workloads = new("https://workloads.test", "credbroker", _folder);
        _people = new("https://people.test", "credbroker-admin", _folder);
        Settings = new()
        {
            ["Listen:Agents:Url"] = "http://127.0.0.1:0",
            ["Log:Level"] = "Information",
            ["Storage:SqliteFile"] = Path.Combine(_folder, "broker.db"),
            ["Policy:File"] = PolicyFile,
            ["Vault:Address"] = vault.Address.ToString(),
            ["Vault:Installation"] = Installation,
            ["Vault:TokenFile"] = Path.Combine(_folder, "vault-token"),
            ["Vault:ProbeInterval"] = "00:00:05",
            ["Vault:CallTimeout"] = "00:00:05",
            ["Vault:MintTimeout"] = "00:00:08",
            ["Vault:RevokeTimeout"] = "00:00:06",
            ["Jobs:Anchor"] = "00:00:01",
            ["Leases:IssuanceDeadline"] = "00:00:10",
            ["Leases:VaultRequestLimit"] = "00:00:12",
            ["Leases:RetryDelayLimit"] = "00:00:02",
            ["Leases:RevocationTimeout"] = "00:00:08",
            ["Leases:ClaimTime"] = "00:00:10",
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
            ["Identity:Issuers:1:Roles:approver:0"] = "approver",
            ["Identity:Issuers:1:GroupsClaim"] = "groups",
            ["Identity:TrustDomains:0:Name"] = "agents.example",
            ["Identity:TrustDomains:0:BundleFile"] = Vector("agents.example.bundle.json"),
            ["Identity:TrustDomains:0:PathTemplate"] = "/agents/{workload}/{instance}",
        };
    }

    public TestBao Vault { get; }

    public TestPostgres Postgres { get; }

    public Dictionary<string, string?> Settings { get; }

    public string Folder => _folder;

    public string PolicyFile => Path.Combine(_folder, "policy.yaml");

    public BrokerProcess Broker { get; private set; } = null!;

    /// <summary>A JWT-SVID as SPIRE handed it out, for <c>spiffe://agents.example/agents/triage/7</c>.</summary>
    public static string SpireToken => File.ReadAllText(Vector("agents.example/triage-7.jwt")).Trim();

    /// <summary>An agent with an OIDC token.</summary>
    public AgentClient Agent(string instance = "i-1") => new(Broker.Connect(Token(instance)));

    public string Token(string instance = "i-1", string workload = "triage") =>
        _workloads.Token(
            $"{workload}-{instance}",
            claims => (claims["workload"], claims["instance"]) = (workload, instance)
        );

    public AgentClient SpireAgent() => new(Broker.Connect(SpireToken));

    public AdminClient Person(params string[] roles) => new(Broker.Connect(PersonToken(roles)));

    public string PersonToken(params string[] roles) => _people.Token("ada", claims => claims["roles"] = roles);

    /// <summary>A person of these groups who may decide what a rule asks them.</summary>
    public AdminClient Approver(params string[] groups) =>
        new(
            Broker.Connect(
                _people.Token("bea", claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, groups))
            )
        );

    public static async Task<World> StartAsync(
        bool sealable = false,
        IReadOnlyDictionary<string, string>? settings = null,
        string grants = "",
        Func<World, string>? credentials = null,
        TestBao? node = null,
        string vaultConfiguration = "",
        bool storeOnPostgres = false,
        Func<World, Task>? prepare = null
    )
    {
        TestBao.SkipUnlessAvailable();
        TestPostgres.SkipUnlessAvailable();
        var vault =
            node
            ?? (
                sealable
                    ? await TestBao.StartSealableAsync(vaultConfiguration)
                    : await TestBao.StartAsync(vaultConfiguration)
            );
        var world = new World(vault, await TestPostgres.StartAsync());
        try
        {
            foreach (var (name, value) in settings ?? new Dictionary<string, string>())
            {
                world.Settings[name] = value;
            }

            if (storeOnPostgres)
            {
                world._store = await PostgresSchema.MakeAsync(world.Postgres);
                world.Settings["Storage:Provider"] = "postgres";
                world.Settings["Storage:ConnectionStringFile"] = world._store.ConnectionStringFile;
            }

            await (prepare?.Invoke(world) ?? Task.CompletedTask);
            world._moreCredentials = credentials?.Invoke(world) ?? "";
            await world.PrepareAsync(grants);
            await world.StartBrokerAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Starts the broker on the same store, and waits until it issues (unless it stops before that at a failpoint or
    /// Vault is sealed).
    /// </summary>
    public async Task StartBrokerAsync(string? failpoint = null, bool untilIssuing = true)
    {
        Broker = await BrokerProcess.StartAsync(Settings, failpoint);
        if (untilIssuing)
        {
            await IssuesAsync(Broker);
        }
    }

    /// <summary>Another broker on the same store, with these settings instead.</summary>
    public async Task<BrokerProcess> StartAnotherAsync(params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>(Settings);
        foreach (var (name, value) in settings)
        {
            all[name] = value;
        }

        var another = await BrokerProcess.StartAsync(all);
        await IssuesAsync(another);
        return another;
    }

    private static Task IssuesAsync(BrokerProcess broker) =>
        Eventually.BecomesTrueAsync(async () => await broker.HealthAsync("issuing") == "ok", "the broker issues");

    /// <summary>
    /// Kills the broker (SIGKILL). The request that it thereby leaves unanswered is looked at before the clients are
    /// disposed of, which would cancel it instead.
    /// </summary>
    public async Task KillBrokerAsync(Task? unanswered = null)
    {
        await Broker.KillAsync();
        if (unanswered is not null)
        {
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => unanswered);
        }

        await Broker.DisposeAsync();
        Broker = null!;
    }

    public Task<ExchangeResponse> ExchangeAsync(
        AgentClient agent,
        string ttl = "5m",
        string task = "t-1",
        string credential = Credential
    ) =>
        agent
            .ExchangeAsync(
                new()
                {
                    Task = new()
                    {
                        Id = task,
                        Process = "invoice-triage",
                        Purpose = "sort invoices",
                    },
                    Credential = credential,
                    Actions = ["read"],
                    Ttl = WireDuration.Parse(ttl),
                }
            )
            .AsTask();

    /// <summary>A database user for the agent, logged in once to be sure that it works.</summary>
    public async Task<(string LeaseId, DatabaseSecret Secret)> IssueAsync(
        AgentClient agent,
        string ttl = "5m",
        string task = "t-1"
    )
    {
        var issued = await ExchangeAsync(agent, ttl, task);
        var secret = Assert.IsType<DatabaseSecret>(issued.Secret);
        await using var connection = await LogInAsync(secret);
        await using var query = new NpgsqlCommand("SELECT count(*) FROM billing.invoices", connection);
        Assert.Equal(2L, await query.ExecuteScalarAsync());
        return (issued.LeaseId, secret);
    }

    public Task<NpgsqlConnection> LogInAsync(DatabaseSecret secret) =>
        Postgres.ConnectAsync(secret.Username, secret.Password);

    /// <summary>Waits until the lease is confirmed revoked, and checks that PostgreSQL agrees.</summary>
    public async Task<LeaseResponse> ConfirmedAsync(string leaseId, DatabaseSecret secret)
    {
        LeaseResponse? lease = null;
        await Eventually.BecomesTrueAsync(
            async () => (lease = await LeaseAsync(leaseId)).State == LeaseStates.Revoked,
            $"lease {leaseId} is revoked"
        );
        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password));
        Assert.DoesNotContain(secret.Username, await Postgres.IssuedUsersAsync());
        Assert.NotNull(lease!.Revocation?.ConfirmedAt);
        return lease;
    }

    public async Task<LeaseResponse> LeaseAsync(string leaseId) =>
        Assert.Single((await Person("admin").ListLeasesAsync(new() { Lease = leaseId })).Leases);

    public async Task<IReadOnlyList<LeaseResponse>> LeasesAsync() =>
        (await Person("admin").ListLeasesAsync(new() { Limit = 1000 })).Leases;

    /// <summary>The Vault leases under the database role of a credential.</summary>
    public Task<IReadOnlyList<string>> VaultLeasesAsync(string credential = Credential) =>
        ListAsync($"database/creds/cb-{Installation}-{credential}");

    /// <summary>The child tokens of the credential's token role that have not ended.</summary>
    public Task<IReadOnlyList<string>> ChildTokensAsync() =>
        ListAsync($"auth/token/create/cb-{Installation}-{Credential}");

    public Task WritePolicyAsync(string rule = AnyAgent, string maxTtl = "10m") =>
        File.WriteAllTextAsync(PolicyFile, Policy(rule, maxTtl, ""));

    /// <summary>The policy takes on these limits, and the broker has it in force.</summary>
    public async Task LimitAsync(string limits)
    {
        await File.WriteAllTextAsync(PolicyFile, $"{Policy(AnyAgent, "10m", "")}\nlimits:\n{limits}\n");
        await Eventually.BecomesTrueAsync(
            async () => (await Person("admin").GetPolicyAsync()).Version == 2,
            "the limits are in force"
        );
    }

    /// <summary>The policy with another condition.</summary>
    public string PolicyText(string rule) => Policy(rule, "10m", "");

    /// <summary>The policy forgets the further credentials. What Vault has been set up for stays.</summary>
    public Task ForgetCredentialsAsync()
    {
        _moreCredentials = "";
        return WritePolicyAsync();
    }

    /// <summary>
    /// Ends the broker and takes its store away, so that it starts on an empty one: with the anchor, so that nobody notices.
    /// </summary>
    public async Task LoseStoreAsync(bool withAnchor = true)
    {
        await KillBrokerAsync();
        foreach (var file in Directory.GetFiles(_folder, "broker.db*"))
        {
            File.Delete(file);
        }

        if (withAnchor)
        {
            await Vault.SendAsync(HttpMethod.Delete, Anchor.Replace("/data/", "/metadata/", StringComparison.Ordinal));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Broker is not null)
        {
            await Broker.DisposeAsync();
        }

        await Vault.DisposeAsync();
        await Postgres.DisposeAsync();
        _store?.Dispose();
        _workloads.Dispose();
        _people.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<IReadOnlyList<string>> ListAsync(string prefix)
    {
        using var answer = await Vault.CallAsync(new HttpMethod("LIST"), $"sys/leases/lookup/{prefix}");
        return answer.IsSuccessStatusCode
            ?
            [
                .. JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["data"]!["keys"]!
                    .AsArray()
                    .Select(key => key!.GetValue<string>()),
            ]
            : [];
    }

    private async Task PrepareAsync(string grants)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "billing-admin"), await Postgres.CreateAdminAsync());
        await File.WriteAllTextAsync(PolicyFile, Policy(AnyAgent, "10m", grants));
        await PrepareVaultAsync();
    }

    /// <summary>What an operator does with a Vault that holds nothing.</summary>
    public async Task PrepareVaultAsync()
    {
        var compiled = PolicyCompiler.Compile(
            new() { Name = "policy.yaml", Text = await File.ReadAllTextAsync(PolicyFile) }
        );
        Assert.True(compiled.Set is not null, string.Join('\n', compiled.Faults));

        var plan = SetupPlan.For(Installation, compiled.Set.Credentials.Values);
        Assert.Empty(plan.Faults);
        var options = new VaultOptions { Address = Vault.Address.ToString(), Installation = Installation };
        using (var setup = new SetupRun(options, new SecretText(Vault.RootToken), TimeProvider.System))
        {
            var report = await setup.ApplyAsync(plan, CancellationToken.None);
            Assert.True(
                report.IsComplete,
                string.Join(
                    '\n',
                    report
                        .Findings.Where(finding => finding.Details.Count > 0)
                        .Select(finding => $"{finding.Step.Name}: {string.Join("; ", finding.Details)}")
                )
            );
        }

        await Vault.SendAsync(
            HttpMethod.Post,
            "secret/data/api/key",
            new JsonObject { ["data"] = new JsonObject { ["key"] = "kv-secret-value-7531" } }
        );
        var token = await Vault.SendAsync(HttpMethod.Post, $"auth/token/create/cb-{Installation}-broker");
        await File.WriteAllTextAsync(
            Settings["Vault:TokenFile"]!,
            token.GetProperty("auth").GetProperty("client_token").GetString()
        );
    }

    /// <summary>
    /// Vault as a setup made it that knew of no anchor. <see cref="PrepareVaultAsync"/> brings it up to date.
    /// </summary>
    public async Task WithoutAnchorAsync()
    {
        var path = $"sys/policies/acl/cb-{Installation}-broker";
        var policy = (await Vault.SendAsync(HttpMethod.Get, path))
            .GetProperty("data")
            .GetProperty("policy")
            .GetString()!;
        var rule = policy.IndexOf($"path \"{Anchor}\"", StringComparison.Ordinal);
        var without = policy.Remove(rule, policy.IndexOf("}\n", rule, StringComparison.Ordinal) + 2 - rule);
        // With the mark that setup gives what it has made.
        var text = without[(without.IndexOf('\n', StringComparison.Ordinal) + 1)..];
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        var mark = without[..without.LastIndexOf(' ', without.IndexOf('\n', StringComparison.Ordinal))];
        await Vault.SendAsync(HttpMethod.Post, path, new JsonObject { ["policy"] = $"{mark} {digest}\n{text}" });
        await Vault.SendAsync(HttpMethod.Delete, $"sys/mounts/cb-{Installation}-anchor");
    }

    /// <summary>What <c>vault check</c> finds fault with, of the broker's own.</summary>
    public async Task<IReadOnlyList<string>> CheckVaultAsync()
    {
        using var check = new VaultCheck(
            new()
            {
                Address = Vault.Address.ToString(),
                Installation = Installation,
                TokenFile = Settings["Vault:TokenFile"]!,
            },
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        var findings = await check.RunAsync([], CancellationToken.None);
        return [.. findings.Where(finding => !finding.Passed).Select(finding => finding.Detail)];
    }

    /// <summary>The epoch and the serial of the anchor in Vault; zeros where there is none.</summary>
    public async Task<(long Epoch, long Serial)> AnchorAsync()
    {
        using var answer = await Vault.CallAsync(HttpMethod.Get, Anchor);
        if (!answer.IsSuccessStatusCode)
        {
            return default;
        }

        var data = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["data"]!["data"]!;
        return (data["epoch"]!.GetValue<long>(), data["serial"]!.GetValue<long>());
    }

    /// <summary>Waits until what the store has now is anchored.</summary>
    public async Task AnchoredAsync()
    {
        // What is under way now may have been read before.
        for (var i = 0; i < 2; i++)
        {
            var (_, serial) = await AnchorAsync();
            // A read of a person's is on record, so that there is something to anchor.
            await Person("auditor").ListLeasesAsync(new() { Limit = 1, Agent = $"nobody-{Guid.NewGuid():N}" });
            await Person("admin").GetStoreAnchorAsync();
            await Eventually.BecomesTrueAsync(async () => (await AnchorAsync()).Serial > serial, "it is anchored");
        }
    }

    private string Policy(string rule, string maxTtl, string grants) =>
        $$"""
            apiVersion: credbroker/v1
            agents:
              triage: { member: 'identity.issuer == "https://workloads.test" && identity.workload == "triage"' }
              triage-spire: { member: 'identity.trustDomain == "agents.example" && identity.workload == "triage"' }
            processes:
              invoice-triage:
                owner: { issuer: "https://people.test", subject: "owner-1", contact: finance@example.com }
                toleratesRuntimeAction: true
                agents: [triage, triage-spire]
                acceptsUnrevocable: [api-key]
            credentials:
              billing-readonly:
                vault:
                  engine: database
                  mount: database
                  role: cb-{{Installation}}-billing-readonly
                  setup:
                    connection: billing
                    adminCredentialFile: {{Path.Combine(_folder, "billing-admin")}}
                    grants:
                      - GRANT USAGE ON SCHEMA billing TO "{{"{{name}}"}}"
                      - GRANT SELECT ON ALL TABLES IN SCHEMA billing TO "{{"{{name}}"}}"
            {{grants}}
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
                connection: { host: 127.0.0.1, port: {{Postgres.Port}}, database: {{TestPostgres.Database}}, sslmode: disable }
              api-key:
                vault: { engine: kv, mount: secret, path: api/key }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 5m
            {{_moreCredentials}}
            rules:
              - id: triage-reads
                effect: allow
                when: {{rule}}
                maxTtl: {{maxTtl}}
            """;

    private static string Vector(string name) =>
        Path.Combine(AppContext.BaseDirectory, "Identity", "Vectors", "spire", name);
}
