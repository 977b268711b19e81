using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Storage.Sql;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>PostgreSQL's migrations: from each version that there was, on a store with rows, and by many at once.</summary>
public sealed class PostgresMigrationTests(SharedPostgres shared) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    private const int Brokers = 5;
    private const string Prefix = "CredBroker.Storage.Migrations.PostgreSql.";

    /// <summary>
    /// Rows of the first version, as a broker of that version left them: what every later migration has to take along.
    /// </summary>
    private const string Rows = """
        UPDATE store SET clock = 1767225600000, counted = 1767225600000;
        INSERT INTO task (process, id, issuer, workload, opened_at)
          SELECT 'invoices', 't-' || n, 'https://idp.example', 'triage', 1767225600000 FROM generate_series(1, 50) n;
        INSERT INTO lease (id, state, decision, agent, workload, instance, subject, task, process, credential, owner,
            issuer, trust_domain, public_name, opened_at, issuance_deadline, activated_at, expires_at, confirmed_at)
          SELECT lpad(n::text, 32, '0'), CASE WHEN n % 2 = 0 THEN 'active' ELSE 'revoked' END, n, 'triage', 'triage', 'i-1',
            's-1', 't-1', 'invoices', 'billing', 'owner-1', 'https://idp.example', '', '', 1767225600000, 1767225630000,
            1767225601000, 1767225900000, CASE WHEN n % 2 = 0 THEN NULL ELSE 1767225700000 END
          FROM generate_series(1, 50) n;
        INSERT INTO decision (number, id, lease, at, record)
          SELECT n, 'decision-' || n, lpad(n::text, 32, '0'), 1767225600000, '{DECISION}' FROM generate_series(1, 50) n;
        INSERT INTO idempotency (caller_key, key, request_hash, lease, at) VALUES ('caller', 'key', 'hash', 'lease', 1);
        INSERT INTO revocation_order (fence, id, selector, cause, reason, requested_by, requested_at)
          VALUES (1, 'order-1', '{"agent":"other"}', 'admin', 'incident', 'ada', 1767225600000);
        INSERT INTO hold (id, selector, reason, placed_by, placed_at)
          VALUES ('hold-1', '{"agent":"held"}', 'incident', 'ada', 1767225600000);
        INSERT INTO vault_cluster (id, cluster) VALUES (1, 'cluster-1');
        """;

    private PostgresSchema _schema = null!;

    public static TheoryData<string> Versions => [.. SqlMigrations.Known("PostgreSql")];

    public async ValueTask InitializeAsync() => _schema = await PostgresSchema.MakeAsync(await shared.GetAsync());

    public ValueTask DisposeAsync()
    {
        _schema?.Dispose();
        return default;
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_store_of_an_earlier_version_is_brought_to_this_one_with_all_it_holds(string version)
    {
        await MakeAsync(version);

        using var store = Open();

        Assert.Equal(SqlMigrations.Known("PostgreSql").Count, await _schema.CountAsync("schemaversions"));
        Assert.Equal((1L, 1L), (store.Position.Fence, store.Position.Holds));
        Assert.Equal(
            (50, 25, 50),
            (await CountAsync("lease"), await CountAsync("lease WHERE confirmed_at IS NULL"), await CountAsync("task"))
        );
        var leases = await store.Leases.ListAsync(new() { Limit = 100 }, default);
        Assert.Empty(leases.Unreadable);
        Assert.Equal(50, leases.Leases.Count(lease => lease.Decision.Task.Purpose == "sort invoices"));
        Assert.Equal(["triage"], await store.Leases.FindNamesAsync(SelectorField.Agent, default));
        Assert.True(await store.Holds.ListInForceAsync(default) is [{ Id: "hold-1" }]);
        var samples = new StoreSamples(new(TimeProvider.System.GetUtcNow()));
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(samples.Opened(fence: 1), default));
    }

    [Fact]
    public async Task Of_five_processes_that_start_at_once_on_an_empty_schema_each_finds_it_made_once()
    {
        var brokers = Enumerable
            .Range(0, Brokers)
            .Select(_ =>
                ChildProcess.Start(
                    "dotnet",
                    [typeof(StoreOpener).Assembly.Location, StoreOpener.Command, _schema.ConnectionStringFile]
                )
            )
            .ToList();
        try
        {
            await TellAllAsync(StoreOpener.Waits);
            await TellAllAsync(StoreOpener.HasOpened);
            foreach (var broker in brokers)
            {
                await broker.Process.WaitForExitAsync().WaitAsync(Patience.Limit);
                Assert.True(broker.Process.ExitCode == 0, broker.Output);
            }
        }
        finally
        {
            foreach (var broker in brokers)
            {
                await broker.DisposeAsync();
            }
        }

        Assert.Equal(SqlMigrations.Known("PostgreSql").Count, await _schema.CountAsync("schemaversions"));
        using var store = Open();
        Assert.Equal(
            Brokers,
            await _schema.CountAsync("audit_record WHERE convert_from(bytes, 'UTF8') LIKE '%test.event%'")
        );

        // Once all have come so far.
        async Task TellAllAsync(string when)
        {
            foreach (var broker in brokers)
            {
                await Eventually.BecomesTrueAsync(
                    () =>
                        broker.HasExited
                            ? throw new InvalidOperationException(broker.Output)
                            : Task.FromResult(broker.Output.Contains(when, StringComparison.Ordinal)),
                    when
                );
            }

            foreach (var broker in brokers)
            {
                await broker.Process.StandardInput.WriteLineAsync();
                await broker.Process.StandardInput.FlushAsync();
            }
        }
    }

    /// <summary>Makes the schema as that version's broker did, with rows in it since the first.</summary>
    private async Task MakeAsync(string version)
    {
        await _schema.ExecuteAsync(
            $"""
            SET ROLE {_schema.Name};
            CREATE TABLE schemaversions (
              schemaversionsid SERIAL PRIMARY KEY, scriptname VARCHAR(255) NOT NULL, applied TIMESTAMP NOT NULL);
            """
        );
        var decision = JsonSerializer.Serialize(
            new StoreSamples(new(DateTimeOffset.UnixEpoch)).Decision(),
            StateJson.Default.DecisionRecord
        );
        foreach (var name in SqlMigrations.Known("PostgreSql"))
        {
            var resource = $"{Prefix}{name}.sql";
            using var script = new StreamReader(
                typeof(SqlMigrations).Assembly.GetManifestResourceStream(resource)
                    ?? throw new InvalidOperationException($"There is no {resource}.")
            );
            await _schema.ExecuteAsync(
                $"""
                SET ROLE {_schema.Name};
                {await script.ReadToEndAsync()};
                INSERT INTO schemaversions (scriptname, applied) VALUES ('{resource}', now());
                {(
                    name.StartsWith("0001_", StringComparison.Ordinal)
                        ? Rows.Replace("{DECISION}", decision, StringComparison.Ordinal)
                        : ""
                )}
                """
            );
            if (name == version)
            {
                return;
            }
        }
    }

    private async Task<int> CountAsync(string from) => (int)await _schema.CountAsync(from);

    private PostgresBrokerStore Open() =>
        PostgresBrokerStore.Open(
            _schema.Options,
            TimeProvider.System,
            NullLogger<PostgresBrokerStore>.Instance,
            isAlone: false
        );
}
