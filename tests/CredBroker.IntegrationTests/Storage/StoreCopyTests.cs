using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Sql;
using CredBroker.Testing.Storage;

namespace CredBroker.IntegrationTests.Storage;

/// <summary><c>credbroker store copy</c>, from each engine to each: what arrives, and where the truth is then.</summary>
public sealed class StoreCopyTests(SharedPostgres postgres) : StoreCopyTestBase, IClassFixture<SharedPostgres>
{
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

    private static async Task<AuditVerification> VerifyAsync(SqlBrokerStore store)
    {
        using var file = new MemoryStream();
        var output = System.IO.Pipelines.PipeWriter.Create(file, new(leaveOpen: true));
        await new AuditExport(store).WriteAsync(output, null, null, null, default);
        await output.CompleteAsync();
        file.Position = 0;
        return await AuditVerifier.VerifyAsync(file, [store.Position.AuditHead], default);
    }
}
