using System.Diagnostics;
using System.Text;
using CredBroker.Benchmarks.Children;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Storage;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Servers;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Benchmarks.Suites;

/// <summary>
/// What the two durable commits of an exchange cost in the store alone, beside the bare floor's two; 32 callers wait at
/// a time.
/// </summary>
internal static class StoreSuite
{
    private const int Callers = 32;

    private static readonly byte[] LeaseRow = Encoding.UTF8.GetBytes($$"""{"text":"{{new string('x', 500)}}"}""");

    public static async Task RunAsync(BenchOptions options)
    {
        using (var directory = new BenchDirectory(options))
        {
            using var bare = new BareStore(Path.Combine(directory.Info.FullName, "bare.db"));
            using var store = SqliteBrokerStore.Open(
                new StorageOptions { SqliteFile = Path.Combine(directory.Info.FullName, "store", "broker.db") },
                TimeProvider.System,
                NullLogger<SqliteBrokerStore>.Instance
            );
            await RunAsync(options, "SQLite synchronous=FULL", new Pairs(store).CommitAsync, () => BareAsync(bare));
        }

        if (TestPostgres.FindPrograms() is null)
        {
            Report.PrintTitle("store: PostgreSQL is left out, there is no initdb");
            return;
        }

        foreach (var flushes in new[] { true, false })
        {
            using var directory = new BenchDirectory(options);
            await using var postgres = await TestPostgres.StartAsync(flushes);
            using var store = await OpenAsync(postgres, directory, "store");
            var pairs = new Pairs(store);
            await pairs.CommitAsync();
            // The floor's tables are the store's, and its rows as long.
            (await OpenAsync(postgres, directory, "floor")).Dispose();
            using var bare = new BarePostgres(
                await File.ReadAllTextAsync(ConnectionStringFile(directory, "floor")),
                (int)await postgres.CountAsync("store.decision d, generate_series(1, length(d.record))"),
                (int)
                    await postgres.CountAsync(
                        "store.audit_record r, generate_series(1, length(r.bytes)) WHERE sequence = 2"
                    )
            );
            await RunAsync(
                options,
                $"PostgreSQL synchronous_commit=on fsync={(flushes ? "on" : "off")}",
                pairs.CommitAsync,
                () => BareAsync(bare)
            );
        }
    }

    private static async Task RunAsync(BenchOptions options, string engine, Func<Task> store, Func<Task> bare)
    {
        Report.PrintTitle($"store: a lease opened and activated, {engine}, {Callers} callers");
        await RunAsync(store, options.Warmup / 2.0);
        await RunAsync(bare, options.Warmup / 2.0);
        var (real, floor) = (new List<Figures>(), new List<Figures>());
        for (var round = 0; round < options.Rounds; round++)
        {
            real.Add(await RunAsync(store, (double)options.Seconds / options.Rounds));
            floor.Add(await RunAsync(bare, (double)options.Seconds / options.Rounds));
        }

        var table = new Table("two commits", "per second", "CPU µs each", "KB allocated each", "÷ bare floor");
        Add("store", real);
        Add("bare floor", floor);
        table.Print();

        void Add(string name, List<Figures> figures)
        {
            var count = figures.Sum(figure => figure.Count);
            table.Add(
                name,
                $"{PerSecond(figures):N0}",
                $"{figures.Sum(figure => figure.Cpu.TotalMicroseconds) / count:N0}",
                $"{figures.Sum(figure => figure.Allocated) / 1024.0 / count:N1}",
                figures == floor ? "" : $"{PerSecond(figures) / PerSecond(floor):N2}"
            );
        }
    }

    private static double PerSecond(List<Figures> figures) =>
        figures.Sum(figure => figure.Count) / figures.Sum(figure => figure.Elapsed.TotalSeconds);

    /// <summary>A store in a schema of its own, led there by a file as a broker is.</summary>
    private static async Task<PostgresBrokerStore> OpenAsync(
        TestPostgres postgres,
        BenchDirectory directory,
        string schema
    )
    {
        await postgres.ExecuteAsync(
            $"CREATE ROLE {schema} LOGIN PASSWORD '{schema}'; CREATE SCHEMA {schema} AUTHORIZATION {schema};"
        );
        await File.WriteAllTextAsync(
            ConnectionStringFile(directory, schema),
            $"Host=127.0.0.1;Port={postgres.Port};Database={TestPostgres.Database};Username={schema};Password={schema};"
                + $"Search Path={schema}"
        );
        return PostgresBrokerStore.Open(
            new StorageOptions
            {
                Provider = StorageProvider.Postgres,
                ConnectionStringFile = ConnectionStringFile(directory, schema),
            },
            TimeProvider.System,
            NullLogger<PostgresBrokerStore>.Instance
        );
    }

    private static string ConnectionStringFile(BenchDirectory directory, string schema) =>
        Path.Combine(directory.Info.FullName, schema);

    private static async Task BareAsync(BareStore bare)
    {
        var id = Ids.New(TimeProvider.System);
        await bare.CommitAsync(new(id, "pending", LeaseRow, "a0123456789abcdef"), "request.allowed");
        await bare.CommitAsync(new(id, "active", LeaseRow, $"database/creds/cb-bench-reports/{id}"), "lease.issued");
    }

    private static async Task BareAsync(BarePostgres bare)
    {
        var id = Ids.New(TimeProvider.System);
        await bare.CommitAsync(id, isOpened: true);
        await bare.CommitAsync(id, isOpened: false);
    }

    private static async Task<Figures> RunAsync(Func<Task> pair, double seconds)
    {
        var (start, cpu, allocated) = (Stopwatch.GetTimestamp(), CpuTime(), GC.GetTotalAllocatedBytes());
        var end = start + (long)(seconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        var count = 0;
                        for (; Stopwatch.GetTimestamp() < end; count++)
                        {
                            await pair();
                        }

                        return count;
                    })
                )
        );
        return new(
            counts.Sum(),
            Stopwatch.GetElapsedTime(start),
            CpuTime() - cpu,
            GC.GetTotalAllocatedBytes() - allocated
        );
    }

    private static TimeSpan CpuTime()
    {
        using var self = Process.GetCurrentProcess();
        return self.TotalProcessorTime;
    }

    private readonly record struct Figures(int Count, TimeSpan Elapsed, TimeSpan Cpu, long Allocated);

    private sealed class Pairs
    {
        private readonly IBrokerStore _store;
        private readonly WorkloadIdentity _identity;
        private readonly Decision _decision;
        private int _made;

        public Pairs(IBrokerStore store)
        {
            _store = store;
            _identity = new()
            {
                Proof = ProofMethod.Oidc,
                Issuer = Agents.Issuer,
                Subject = "worker",
                Workload = "worker",
                Instance = "worker-1",
                ProofExpiresAt = TimeProvider.System.GetUtcNow().AddHours(1),
                ProofHash = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
            };
            _decision = PolicyCompiler.Compile(BenchPolicy.Document).Set!.Evaluate(_identity, Task(0), Request);
        }

        private static CredentialRequest Request => new() { Credential = "reports", Actions = ["read"] };

        public async Task CommitAsync()
        {
            var (id, position) = (Ids.New(TimeProvider.System), _store.Position);
            var record = new DecisionRecord
            {
                Id = Ids.New(TimeProvider.System),
                PolicyVersion = position.PolicyVersion,
                Identity = _identity,
                Task = Task(Interlocked.Increment(ref _made) % 20_000),
                Request = Request,
                Verdict = _decision,
            };
            var auditEvent = new AuditEvent
            {
                What = new RequestAllowed(),
                Actor = AuditActor.Workload(_identity),
                LeaseId = id,
                DecisionId = record.Id,
                Process = record.Task.Process,
                TaskId = record.Task.Id,
                Credential = Request.Credential,
                TraceId = "4bf92f3577b34da6a3ce929d0e0e4736",
            };
            var pending = new Lease
            {
                Id = id,
                State = LeaseState.Pending,
                Decision = record,
                Accessor = "a0123456789abcdef",
                OpenedAt = position.UtcNow,
                IssuanceDeadline = position.UtcNow.AddSeconds(30),
            };
            Expect(
                await _store.CommitAsync(
                    new StateChange.LeaseOpened
                    {
                        Lease = pending,
                        Reservations = new() { Fence = position.Fence, Opening = position.Opening, TaskOwner = TaskOwner.Of(_identity) },
                        Event = auditEvent,
                    },
                    CancellationToken.None
                )
            );
            var handles = new SecretHandles($"database/creds/cb-bench-reports/{id}", null, "cb-" + id);
            var expires = position.UtcNow.AddMinutes(10);
            Expect(
                await _store.CommitAsync(
                    new StateChange.LeaseActivated
                    {
                        LeaseId = id,
                        Handles = handles,
                        ExpiresAt = expires,
                        GraceUntil = expires,
                        Event = auditEvent with
                        {
                            What = new LeaseIssued
                            {
                                VaultLease = handles.VaultLeaseId,
                                PublicName = handles.PublicName,
                                ExpiresAt = expires,
                                GraceUntil = expires,
                            },
                        },
                    },
                    CancellationToken.None
                )
            );
        }

        private static void Expect(CommitOutcome outcome)
        {
            if (outcome is not CommitOutcome.Committed)
            {
                throw new InvalidOperationException($"The store answered {outcome}.");
            }
        }

        private static AgentTask Task(int number) =>
            new($"task-{number}", "monthly-reports", "Write the report of the month");
    }
}
