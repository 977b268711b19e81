using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Sql;
using CredBroker.Storage.Upkeep;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Storage;

/// <summary><c>credbroker store copy</c>, from each engine to each.</summary>
public sealed class StoreCopyTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private static readonly IReadOnlyDictionary<string, string> NoVariables = new Dictionary<string, string>();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Sqlite)]
    public async Task Every_table_arrives_whole_and_a_broker_goes_on_with_it(string from, string to)
    {
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        var samples = new StoreSamples(_time);
        var (live, gone, records) = await FillAsync(source, samples);
        var before = await source.RowsAsync();
        Assert.Empty(before.Where(table => table.Value.Count == 0).Select(table => table.Key));

        var moved = await CopiedAsync(source, target);

        // Read by other means than those that copied.
        var after = await target.RowsAsync();
        Assert.Equal(before.Keys.Order(), after.Keys.Order());
        Assert.All(before, table => Assert.Equal(table.Value, after[table.Key]));
        Assert.Equal(
            before.Select(table => (table.Key, (long)table.Value.Count)).Order(),
            moved
                .GetProperty("tables")
                .EnumerateArray()
                .Select(table => (table.GetProperty("name").GetString()!, table.GetProperty("rows").GetInt64()))
                .Order()
        );

        using var store = target.Open(_time);
        Assert.Equal(LeaseState.Active, (await store.Leases.FindAsync(live.Id, default))?.State);
        Assert.Equal(LeaseState.Revoked, (await store.Leases.FindAsync(gone.Id, default))?.State);
        Assert.Equal(records[^1].Stream, (await ReadAsync(store))[records.Count - 1].Stream);
        var later = await ReadAsync(store);
        Assert.Equal(records.Select(Bytes), later.Take(records.Count).Select(Bytes));
        Assert.True(later.Count > records.Count, "A stream of the new broker's goes on after them.");

        // What was minted before is revoked; numbers go on after those that were copied; guards know what was.
        await CommitAsync(store, samples.Claimed(live.Id));
        await CommitAsync(store, StoreSamples.Revoked(live.Id));
        var fence = store.Position.Fence;
        await CommitAsync(store, samples.Ordered(new() { Agent = "triage" }));
        Assert.Equal(fence + 1, store.Position.Fence);
        await CommitAsync(store, samples.Held(new() { Agent = "other" }));
        await CommitAsync(store, samples.Opened(Lease("t-2"), store.Position.Fence));
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.TaskClosed),
            await store.CommitAsync(samples.Opened(Lease("t-closed"), store.Position.Fence), default)
        );
        Assert.True((await VerifyAsync(store)).Holds);

        Lease Lease(string task) => samples.Lease(samples.Decision(task: task, policyVersion: 1));
    }

    [Fact]
    public async Task A_store_that_is_moved_there_and_back_is_the_same_by_its_digests()
    {
        using var first = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var second = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        using var third = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        await FillAsync(first, new(_time));

        var there = await CopiedAsync(first, second);
        var back = await CopiedAsync(second, third);

        Assert.Equal(there.GetProperty("tables").GetRawText(), back.GetProperty("tables").GetRawText());
        Assert.Equal(there.GetProperty("head").GetString(), back.GetProperty("head").GetString());
        third.Open(_time).Dispose();
    }

    [Fact]
    public async Task Both_engines_have_the_same_tables_and_columns_and_each_is_copied()
    {
        using var sqlite = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var postgresql = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        sqlite.Open(_time).Dispose();
        postgresql.Open(_time).Dispose();
        using var first = sqlite.Tables();
        using var second = postgresql.Tables();
        Assert.Equal(Columns(first), Columns(second));

        // What is not copied is written here by hand, so that nobody adds to it unseen.
        Assert.Equal((await sqlite.TablesAsync()).Except(["SchemaVersions"]), first.All.Select(table => table.Name));
        Assert.Equal(
            (await postgresql.TablesAsync()).Except(["schemaversions", "writer"]),
            second.All.Select(table => table.Name)
        );
        Assert.Equal(["batch"], (await sqlite.ColumnsAsync("store")).Except(Columns(first, "store")));
        Assert.Empty((await postgresql.ColumnsAsync("store")).Except(Columns(second, "store")));
        Assert.Equal(["lane"], (await postgresql.ColumnsAsync("lease")).Except(Columns(second, "lease")));

        static IEnumerable<string> Columns(SqlTables tables, string? of = null) =>
            tables
                .All.Where(table => of is null || table.Name == of)
                .SelectMany(table =>
                    table.Columns.Select(column =>
                        of is null ? $"{table.Name}.{column.Name} {column.Type}" : column.Name
                    )
                )
                .Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite)]
    public async Task A_store_that_was_moved_says_where_and_no_broker_starts_on_it(string from, string to)
    {
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        await FillAsync(source, new(_time));
        var place = (await CopiedAsync(source, target)).GetProperty("to").GetString()!;

        var refused = Assert.Throws<StoreUnavailableException>(() => source.Open(_time));
        Assert.Contains($"It was moved to {place}", refused.Message, StringComparison.Ordinal);
        var info = await CliRun.RunAsync(NoVariables, "store", "info", "--store", source.Argument);
        Assert.Contains($"It was moved to {place}", info.Out, StringComparison.Ordinal);

        // A second copy would be a second truth.
        using var third = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        var again = await CopyAsync(source, third);
        Assert.Equal(4, again.ExitCode);
        Assert.Contains("It was moved to", again.Error, StringComparison.Ordinal);
        target.Open(_time).Dispose();
    }

    [Fact]
    public async Task A_store_is_not_moved_twice_even_to_a_place_of_the_same_name()
    {
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        await FillAsync(source, new(_time));
        await CopiedAsync(source, target);
        File.Move(target.Options.SqliteFile, target.Options.SqliteFile + ".elsewhere");

        var again = await CopyAsync(source, target);
        Assert.Equal((4, ""), (again.ExitCode, again.Out));
        Assert.Contains("It was moved to", again.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(target.Options.SqliteFile));
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite)]
    public async Task A_copy_that_is_killed_once_it_is_committed_is_the_store(string from, string to)
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        var (live, _, _) = await FillAsync(source, new(_time));
        await KillAsync(source, target, "store-moved");

        var closed = Assert.Throws<StoreUnavailableException>(() => source.Open(_time));
        Assert.Contains("A move to", closed.Message, StringComparison.Ordinal);
        Assert.Contains("is not empty", (await CopyAsync(source, target)).Error, StringComparison.Ordinal);
        using var store = target.Open(_time);
        Assert.Equal(LeaseState.Active, (await store.Leases.FindAsync(live.Id, default))?.State);
    }

    [Fact]
    public async Task A_broker_that_was_cut_off_meanwhile_writes_nothing_more_to_a_store_that_was_moved()
    {
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        await FillAsync(source, new(_time));
        using var cutOff = source.Open(_time);
        await source.ExecuteAsync(
            """
            SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
            WHERE usename = current_setting('search_path') AND pid <> pg_backend_pid()
            """
        );
        await CopiedAsync(source, target);
        var moved = await source.RowsAsync();

        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await cutOff.CommitAsync(StoreSamples.Recorded(), default)
        );
        Assert.Contains("It was moved to", refused.Message, StringComparison.Ordinal);
        Assert.Equal(moved["audit_record"], (await source.RowsAsync())["audit_record"]);
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite)]
    public async Task A_running_broker_on_either_side_keeps_a_copy_from_beginning(string from, string to)
    {
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        await FillAsync(source, new(_time));
        using (source.Open(_time))
        {
            var busy = await CopyAsync(source, target);
            Assert.Equal(4, busy.ExitCode);
            Assert.Contains("Another broker uses", busy.Error, StringComparison.Ordinal);
        }

        using (target.Open(_time))
        {
            var busy = await CopyAsync(source, target);
            Assert.Equal(4, busy.ExitCode);
            Assert.Contains("is not empty", busy.Error, StringComparison.Ordinal);
        }

        // The one that has run there has a stream of its own: it is no empty store any more.
        Assert.Contains("audit_", (await CopyAsync(source, target)).Error, StringComparison.Ordinal);
        source.Open(_time).Dispose();
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres, "store-copied")]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite, "store-copied")]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres, "store-source-closed")]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite, "store-source-closed")]
    public async Task A_copy_that_is_killed_leaves_no_two_truths_and_is_made_again(string from, string to, string at)
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        var (live, _, records) = await FillAsync(source, new(_time));
        await KillAsync(source, target, at);

        Assert.Contains(
            "not finished",
            Assert.Throws<StoreUnavailableException>(() => target.Open(_time)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await InfoAsync(target)).GetProperty("rows").GetProperty("lease").GetInt64());
        if (at == "store-copied")
        {
            source.Open(_time).Dispose();
            records = await RecordsAsync(source);
        }
        else
        {
            Assert.Throws<StoreUnavailableException>(() => source.Open(_time));
        }

        await CopiedAsync(source, target);
        using var store = target.Open(_time);
        Assert.Equal(LeaseState.Active, (await store.Leases.FindAsync(live.Id, default))?.State);
        Assert.Equal(records.Select(Bytes), (await ReadAsync(store)).Take(records.Count).Select(Bytes));
    }

    [Fact]
    public async Task A_copy_that_was_killed_at_the_end_is_not_made_again_to_another_server_of_that_name()
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        var first = await postgres.GetAsync();
        await using var second = await TestPostgres.StartAsync();
        await using var proxy = new StallingProxy(first.Port);
        var schema = await PostgresSchema.MakeAsync(first);
        using var schemaThere = await PostgresSchema.MakeAsync(second, schema.Name);
        schema.LeadTo(proxy.Port);
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var target = UpkeepStore.On(first, schema);
        await FillAsync(source, new(_time));
        await KillAsync(source, target, "store-source-closed");

        proxy.LeadTo(second.Port);
        var refused = await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            StoreMove.RunAsync(source.Options, target.Options, new Progress<StoreMoveStep>(), default)
        );
        Assert.Contains("A move to", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, await schemaThere.CountAsync("lease"));

        proxy.LeadTo(first.Port);
        await CopiedAsync(source, target);
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite)]
    public async Task An_audit_log_that_was_altered_is_not_moved_as_if_it_held(string from, string to)
    {
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        await FillAsync(source, new(_time));
        await source.ForgeAsync();

        var run = await CopyAsync(source, target);
        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Contains("The audit chain does not hold", run.Error, StringComparison.Ordinal);
        await AssertUnmovedAsync(source, target);
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres)]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite)]
    public async Task A_copy_that_is_not_the_same_is_found_and_nothing_is_moved(string from, string to)
    {
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        await FillAsync(source, new(_time));
        await target.MakeEmptyAsync();
        await target.AlterInsertedLeasesAsync();

        var run = await CopyAsync(source, target);
        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Contains("What was copied of the table lease is not", run.Error, StringComparison.Ordinal);
        await AssertUnmovedAsync(source, target);
    }

    [Fact]
    public async Task A_copy_that_cannot_be_committed_opens_the_source_again()
    {
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        await FillAsync(source, new(_time));
        await target.MakeEmptyAsync();
        await target.ExecuteAsync(
            """
            CREATE FUNCTION no_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
            CREATE CONSTRAINT TRIGGER no_commit AFTER INSERT ON lease DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION no_commit()
            """
        );

        var run = await CopyAsync(source, target);
        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Contains("could not be committed", run.Error, StringComparison.Ordinal);
        Assert.Contains("not today", run.Error, StringComparison.Ordinal);
        await AssertUnmovedAsync(source, target);
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres, "Copying")]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite, "Copying")]
    [InlineData(UpkeepStore.Sqlite, UpkeepStore.Postgres, "Verifying")]
    [InlineData(UpkeepStore.Postgres, UpkeepStore.Sqlite, "Verifying")]
    public async Task A_copy_that_is_interrupted_changes_nothing_and_is_made_again(string from, string to, string at)
    {
        using var source = await UpkeepStore.MakeAsync(from, postgres);
        using var target = await UpkeepStore.MakeAsync(to, postgres);
        await FillAsync(source, new(_time));
        using var interrupted = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            StoreMove.RunAsync(source.Options, target.Options, new Interrupting(at, interrupted), interrupted.Token)
        );
        await AssertUnmovedAsync(source, target);

        await CopiedAsync(source, target);
        target.Open(_time).Dispose();
    }

    [Fact]
    public async Task A_text_that_PostgreSQL_cannot_hold_is_a_fault_and_nothing_is_moved()
    {
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        await FillAsync(source, new(_time));
        await source.ExecuteAsync("UPDATE lease SET last_error = CAST(x'61ff62' AS TEXT)");

        var run = await CopyAsync(source, target);
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("The table lease could not be copied", run.Error, StringComparison.Ordinal);
        source.Open(_time).Dispose();
    }

    [Fact]
    public async Task A_schema_with_tables_of_something_else_is_no_place_to_move_to()
    {
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        await FillAsync(source, new(_time));
        await target.ExecuteAsync("CREATE TABLE orders (id uuid)");

        var run = await CopyAsync(source, target);
        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Contains("The table orders is none of a store's", run.Error, StringComparison.Ordinal);
        source.Open(_time).Dispose();
        await target.ExecuteAsync("DROP TABLE orders");
        await CopiedAsync(source, target);
    }

    [Fact]
    public async Task A_store_that_lacks_a_migration_is_not_changed_by_a_copy()
    {
        using var source = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        await FillAsync(source, new(_time));
        await source.ExecuteAsync(
            "ALTER TABLE store DROP COLUMN closed; DELETE FROM SchemaVersions WHERE ScriptName LIKE '%closed.sql'"
        );

        var run = await CopyAsync(source, target);
        Assert.Equal(4, run.ExitCode);
        Assert.Contains("store migrate", run.Error, StringComparison.Ordinal);
        Assert.Single((await InfoAsync(source)).GetProperty("pending").EnumerateArray());
        Assert.False(File.Exists(target.Options.SqliteFile));
    }

    /// <summary>Copies in a process that is killed there.</summary>
    private async Task KillAsync(UpkeepStore source, UpkeepStore target, string at)
    {
        await using var copying = ChildProcess.Start(
            "dotnet",
            [CliRun.Program, "store", "copy", "--from", source.Argument, "--to", target.Argument],
            new Dictionary<string, string> { ["CREDBROKER_FAILPOINT"] = at }
        );
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(copying.Output.Contains($"failpoint {at} reached", StringComparison.Ordinal)),
            at
        );
        Assert.Contains(
            "Another broker uses",
            Assert.Throws<StoreUnavailableException>(() => source.Open(_time)).Message,
            StringComparison.Ordinal
        );
        await copying.KillAsync();

        // A server takes a moment to see that its client is gone.
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(!IsBusy(source) && !IsBusy(target)),
            "the killed copy's locks are gone"
        );

        static bool IsBusy(UpkeepStore place)
        {
            try
            {
                StoreMigration.Run(place.Options);
                return false;
            }
            catch (StoreUnavailableException busy)
                when (busy.Message.Contains("Another broker uses", StringComparison.Ordinal))
            {
                return true;
            }
        }
    }

    /// <summary>No broker starts on the target, which says why; the source is as it was, and a broker starts on it.</summary>
    private async Task AssertUnmovedAsync(UpkeepStore source, UpkeepStore target)
    {
        Assert.Contains(
            "not finished",
            Assert.Throws<StoreUnavailableException>(() => target.Open(_time)).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await InfoAsync(target)).GetProperty("rows").GetProperty("lease").GetInt64());
        source.Open(_time).Dispose();
    }

    private sealed class Interrupting(string at, CancellationTokenSource interrupted) : IProgress<StoreMoveStep>
    {
        public void Report(StoreMoveStep value)
        {
            if (value is { Table: "lease" } && value.What == at)
            {
                interrupted.Cancel();
            }
        }
    }

    /// <summary>A store with a row in each table, of which a broker was stopped.</summary>
    private async Task<(Lease Live, Lease Gone, IReadOnlyList<AuditRecord> Records)> FillAsync(
        UpkeepStore place,
        StoreSamples samples
    )
    {
        Lease live,
            gone;
        using (var store = place.Open(_time))
        {
            (live, gone) = (
                samples.Lease(samples.Decision(policyVersion: 1)),
                samples.Lease(samples.Decision(task: "Ä-täsk", instance: "i-2", policyVersion: 1))
            );
            await CommitAsync(store, StoreSamples.Policy(0, "hash-1"));
            foreach (var lease in new[] { live, gone })
            {
                await CommitAsync(store, samples.Opened(lease, store.Position.Fence));
                await CommitAsync(store, samples.Activated(lease.Id));
            }

            await CommitAsync(store, samples.Ordered(new() { Lease = gone.Id }));
            await CommitAsync(store, samples.Claimed(gone.Id));
            await CommitAsync(store, StoreSamples.Revoked(gone.Id));
            await CommitAsync(store, samples.Held(new() { Agent = "someone" }));
            await CommitAsync(store, StoreSamples.Barred("t-closed"));
            await CommitAsync(store, samples.Asked(samples.Decision(task: "t-asked", policyVersion: 1)));
        }

        // Streams of more than one run, and a time on which nobody counts.
        _time.Advance(TimeSpan.FromMinutes(1));
        place.Open(_time).Dispose();

        // What no sample makes gets a row by its columns, so that a table that is added later is not left out.
        foreach (var (table, columns, _) in await place.EmptyTablesAsync())
        {
            await place.ExecuteAsync(
                $"INSERT INTO {table} ({string.Join(", ", columns.Select(column => column.Name))}) "
                    + $"VALUES ({string.Join(", ", columns.Select(column => column.Type == SqlType.Number ? "1" : "'ü'"))})"
            );
        }

        return (live, gone, await RecordsAsync(place));
    }

    private static async Task<IReadOnlyList<AuditRecord>> RecordsAsync(UpkeepStore place)
    {
        using var tables = place.Tables();
        var records = new List<AuditRecord>();
        await foreach (
            var record in tables.Log().ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default)
        )
        {
            records.Add(record);
        }

        return records;
    }

    private static async Task<List<AuditRecord>> ReadAsync(SqlBrokerStore store)
    {
        var records = new List<AuditRecord>();
        await foreach (var record in store.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default))
        {
            records.Add(record);
        }

        return records;
    }

    private static async Task<AuditVerification> VerifyAsync(SqlBrokerStore store)
    {
        using var file = new MemoryStream();
        var output = System.IO.Pipelines.PipeWriter.Create(file, new(leaveOpen: true));
        await new AuditExport(store).WriteAsync(output, null, null, null, default);
        await output.CompleteAsync();
        file.Position = 0;
        return await AuditVerifier.VerifyAsync(file, [store.Position.AuditHead], default);
    }

    private static string Bytes(AuditRecord record) => Convert.ToHexString(record.Bytes.Span);

    private static Task<CliRun> CopyAsync(UpkeepStore from, UpkeepStore to) =>
        CliRun.RunAsync(NoVariables, "store", "copy", "--from", from.Argument, "--to", to.Argument, "-o", "json");

    private static async Task<JsonElement> CopiedAsync(UpkeepStore from, UpkeepStore to)
    {
        var run = await CopyAsync(from, to);
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonElement.Parse(run.Out);
    }

    private static async Task<JsonElement> InfoAsync(UpkeepStore place)
    {
        var run = await CliRun.RunAsync(NoVariables, "store", "info", "--store", place.Argument, "-o", "json");
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonElement.Parse(run.Out);
    }

    private static async Task CommitAsync(SqlBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));
}
