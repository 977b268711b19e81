using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Upkeep;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>A copy of a store that is refused or fails: nothing is moved.</summary>
public sealed class StoreCopyRefusalTests(SharedPostgres postgres) : StoreCopyTestBase, IClassFixture<SharedPostgres>
{
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
        Assert.StartsWith(
            "The table orders is none of a store's",
            JsonElement.Parse(run.Error.TrimEnd().Split('\n')[^1]).GetProperty("message").GetString(),
            StringComparison.Ordinal
        );
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
}
