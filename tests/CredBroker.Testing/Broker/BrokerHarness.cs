using System.Text;
using System.Text.Json;
using CredBroker.Core.Approvals;
using CredBroker.Core.Audit;
using CredBroker.Core.Callers;
using CredBroker.Core.Exchange;
using CredBroker.Core.Holds;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Owners;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Core.Tasks;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Testing.Broker;

/// <summary>
/// The broker's core on a real SQLite store and a clock that the test turns; Vault, verifier and policy source are
/// fakes at their seams.
/// </summary>
internal sealed class BrokerHarness : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-").FullName;
    private readonly SqliteBrokerStore _sqlite;
    private readonly RefusedCalls _refusedCalls;

    public BrokerHarness(LeaseOptions? options = null, Func<IBrokerStore, IBrokerStore>? wrapStore = null)
    {
        Options = options ?? new();
        Wall = new(Time);
        _sqlite = SqliteBrokerStore.Open(
            new StorageOptions { SqliteFile = StoreFile },
            Wall,
            NullLogger<SqliteBrokerStore>.Instance
        );
        Store = wrapStore?.Invoke(_sqlite) ?? _sqlite;
        Issuer = new(Wall);
        Policy = new(PolicySource, Store, NullLogger<PolicyControl>.Instance);
        Bulkheads = new(Options, Wall);
        // By real time: nobody who advances the other one would know that an exchange waits.
        Pace = new(TimeProvider.System);
        var wait = new AbsenceWait(Store, Options, Wall);
        Revoker = new(Issuer, Store, Cluster, Bulkheads, wait, Options, Wall, NullLogger<LeaseRevoker>.Instance);
        Anchor = new(Store, AnchorPlace, Cluster, NullLogger<AnchorCheck>.Instance);
        var absence = new AbsenceSweep(
            Issuer,
            Store,
            Revoker,
            wait,
            Anchor,
            Options,
            NullLogger<AbsenceSweep>.Instance
        );
        var strays = new StrayKill(
            Issuer,
            Store,
            new(Policy, Store),
            Bulkheads,
            Options,
            Wall,
            NullLogger<StrayKill>.Instance
        );
        StrayKill = strays;
        Strays = new(strays, Anchor, Store, Options, Wall);
        Retry = new(
            Store,
            Revoker,
            Bulkheads,
            Pace,
            absence,
            wait,
            strays,
            Signal,
            Options,
            Wall,
            NullLogger<RevocationRun>.Instance
        );
        Unrecorded = new(Store, Missing, Revoker, strays, Signal, Wall, NullLogger<UnrecordedOrders>.Instance);
        Revocations = new(Store, Missing, Unrecorded, strays, Signal, Wall);
        Holds = new(Store, Revocations, Missing, Unrecorded, Anchor, new(), Wall);
        Selectors = new(Store, Policy);
        Owners = new(Store, Policy, Revocations, Anchor);
        _refusedCalls = new(Store, Wall, NullLogger<RefusedCalls>.Instance);
        Readiness = new(Policy, Issuer, Cluster, Anchor, Store, Missing, Pace, Wall);
        Clock = new(Store, Wall);
        var callers = new CallerVerification(Verifier, _refusedCalls);
        News = new(Store);
        Approvals = new(callers, Store, News, Wall);
        Access = new(Store, Approvals, Wall);
        Executors = new(callers, Policy, Store, Wall);
        People = new(Store, Anchor, News);
        Groups = new(Store, Anchor, News, People);
        ApprovalSweep = new(Store, Policy, News);
        Exchange = new(
            callers,
            Policy,
            Issuer,
            Readiness,
            Store,
            Revoker,
            Approvals,
            Access,
            new(Store, Signal, Wall),
            Options,
            Wall,
            NullLogger<CredentialExchange>.Instance
        );
        Agents = new(callers, Policy, Issuer, Readiness, Store, Revoker, Options, Wall);
        Tasks = new(callers, Policy, Store, Revocations, Wall);
        Expiry = new(Store, Revoker, Signal, Wall);
        Pending = new(Store, Revoker, Options);
        Reevaluation = new(Store, Policy, Revoker, Signal);
        TimeBoxes = new(Store, People, Revocations);
        TimeBoxSweep = new(Store, Policy);
    }

    public static CallContext Call { get; } = new("0af7651916cd43dd8448eb211c80319c", "127.0.0.1");

    public static AuditActor Admin { get; } = AuditActor.Person("https://people.example", "ada");

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>The same, as the broker's own wall clock shows it: a test can set it off.</summary>
    public JumpingTime Wall { get; }

    public LeaseOptions Options { get; }

    public string StoreFile => Path.Combine(_directory, "broker.db");

    public ApprovalNews News { get; }

    public GroupDecisions Groups { get; }

    public ApprovalRequests Approvals { get; }

    /// <summary>Who answers for processes no more.</summary>
    public OwnerOrders Owners { get; }

    /// <summary>The same questions, as AuthZEN's access requests ask them.</summary>
    public AccessRequests Access { get; }

    /// <summary>What executors find.</summary>
    public ExecutorRequests Executors { get; }

    /// <summary>What people say to questions.</summary>
    public ApprovalDecisions People { get; }

    public ApprovalSweep ApprovalSweep { get; }

    /// <summary>What people let be issued again, as they see it and take it back.</summary>
    public TimeBoxes TimeBoxes { get; }

    public TimeBoxSweep TimeBoxSweep { get; }

    public IBrokerStore Store { get; }

    public IAuditLog Audit => _sqlite;

    public FakeWorkloadVerifier Verifier { get; } = new();

    public FakeSecretIssuer Issuer { get; }

    public FakePolicySource PolicySource { get; } = new();

    public PolicyControl Policy { get; }

    public RevocationBulkheads Bulkheads { get; }

    public RevocationPace Pace { get; }

    public LeaseRevoker Revoker { get; }

    /// <summary>Nothing hears it: a test runs <see cref="Retry"/> when it wants to.</summary>
    public RevocationSignal Signal { get; } = new();

    public RevocationRun Retry { get; }

    public StrayRecovery Strays { get; }

    public MissingRecords Missing { get; } = new();

    public UnrecordedOrders Unrecorded { get; }

    public RevocationOrders Revocations { get; }

    public IssuingReadiness Readiness { get; }

    public ClockRepair Clock { get; }

    /// <summary>Where the anchor is kept; barred unless a test opens it.</summary>
    public FakeAnchorPlace AnchorPlace { get; } = new();

    public AnchorCheck Anchor { get; }

    public StrayKill StrayKill { get; }

    /// <summary>Of which Vault has said nothing yet.</summary>
    public VaultCluster Cluster { get; } = new();

    public HoldOrders Holds { get; }

    public SelectorCheck Selectors { get; }

    public CredentialExchange Exchange { get; }

    public AgentLeases Agents { get; }

    public AgentTasks Tasks { get; }

    public ExpirySweep Expiry { get; }

    public PendingReconcile Pending { get; }

    public PolicyReevaluation Reevaluation { get; }

    public RefusedCalls RefusedCalls => _refusedCalls;

    public static async Task<BrokerHarness> StartAsync(
        LeaseOptions? options = null,
        Func<IBrokerStore, IBrokerStore>? wrapStore = null
    )
    {
        var harness = new BrokerHarness(options, wrapStore);
        harness.PolicySource.Text = HarnessPolicy.Text();
        await harness.Anchor.CompareAsync(CancellationToken.None);
        Assert.True(
            await harness.Policy.StartAsync(CancellationToken.None),
            string.Join('\n', harness.Policy.LastFaults)
        );
        return harness;
    }

    /// <summary>A policy edit, applied.</summary>
    public async Task ApplyAsync(string policy)
    {
        PolicySource.Text = policy;
        Assert.True(await Policy.RefreshAsync(CancellationToken.None), string.Join('\n', Policy.LastFaults));
    }

    public static ExchangeCommand Command(
        string workload = "triage",
        string instance = "1",
        string credential = "billing",
        string task = "t-1",
        TimeSpan? ttl = null,
        string? key = null
    ) =>
        new()
        {
            Proof = FakeWorkloadVerifier.Token(workload, instance),
            Task = new(task, "invoice-triage", "sort invoices"),
            Request = new()
            {
                Credential = credential,
                Actions = ["read"],
                Ttl = ttl,
            },
            IdempotencyKey = key,
            Call = Call,
        };

    public ValueTask<ExchangeOutcome> ExchangeAsync(ExchangeCommand command) =>
        Exchange.ExchangeAsync(command, CancellationToken.None);

    /// <summary>An exchange that must succeed.</summary>
    public async Task<Lease> IssueAsync(ExchangeCommand? command = null)
    {
        var outcome = await ExchangeAsync(command ?? Command());
        return Assert.IsType<ExchangeOutcome.Issued>(outcome).Lease;
    }

    /// <summary>An exchange that must be refused.</summary>
    public async Task<Refusal> RefusedAsync(ExchangeCommand command) =>
        Assert.IsType<ExchangeOutcome.Refused>(await ExchangeAsync(command)).Refusal;

    public async Task<Lease> LeaseAsync(string id) =>
        Assert.IsType<Lease>(await Store.Leases.FindAsync(id, CancellationToken.None));

    public async Task<IReadOnlyList<Lease>> LeasesAsync(params LeaseState[] states) =>
        (await Store.Leases.ListAsync(new() { States = states, Limit = 1000 }, CancellationToken.None)).Leases;

    /// <summary>The one lease there is.</summary>
    public async Task<Lease> OnlyLeaseAsync() => Assert.Single(await LeasesAsync());

    /// <summary>What is over is ended, and its revocation carried out.</summary>
    public async Task ExpireAsync()
    {
        await Expiry.RunAsync(CancellationToken.None);
        await Retry.RunAsync(CancellationToken.None);
    }

    /// <summary>The audit record's types in order, all streams.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventsAsync(string? type = null)
    {
        var events = new List<JsonElement>();
        await foreach (
            var record in Audit.ReadAsync(
                DateTimeOffset.MinValue,
                DateTimeOffset.MaxValue,
                null,
                CancellationToken.None
            )
        )
        {
            var json = JsonDocument.Parse(record.Bytes).RootElement;
            if (type is null || json.GetProperty("type").GetString() == type)
            {
                events.Add(json);
            }
        }

        return events;
    }

    /// <summary>Changes the database behind the store's back, as damage does.</summary>
    public async Task<int> ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={StoreFile};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA ignore_check_constraints = 1; {sql}";
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>From now on the store refuses every change of the lease's row, and takes all others.</summary>
    public Task RefuseRowAsync(string leaseId) =>
        ExecuteAsync(
            $"CREATE TRIGGER refuse BEFORE UPDATE ON lease WHEN OLD.id = '{leaseId}' BEGIN SELECT raise(ABORT, 'no'); END"
        );

    /// <summary>Everything the database file and its log hold, as text.</summary>
    public string RawDatabase() =>
        string.Concat(
            Directory
                .EnumerateFiles(_directory)
                .Where(file =>
                    !file.EndsWith(".lock", StringComparison.Ordinal)
                    && !file.EndsWith("-reserve", StringComparison.Ordinal)
                )
                .Select(file =>
                {
                    using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                    using var reader = new StreamReader(stream, Encoding.Latin1);
                    return reader.ReadToEnd();
                })
        );

    public ValueTask DisposeAsync()
    {
        Anchor.Dispose();
        _sqlite.Dispose();
        Directory.Delete(_directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
