using System.Text.Json;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Sql;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Storage;

/// <summary><c>credbroker store info</c> and <c>store migrate</c> on both engines.</summary>
public sealed class StoreUpkeepTests(SharedPostgres postgres) : IClassFixture<SharedPostgres>
{
    private const string Newest = "closed";
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(UpkeepStore.Sqlite)]
    [InlineData(UpkeepStore.Postgres)]
    public async Task Info_says_what_a_store_holds_while_a_broker_runs_on_it(string engine)
    {
        using var place = await UpkeepStore.MakeAsync(engine, postgres);
        using var store = place.Open(_time);
        var samples = new StoreSamples(_time);
        var lease = samples.Lease();
        await CommitAsync(store, samples.Opened(lease));
        await CommitAsync(store, samples.Opened());
        await CommitAsync(store, samples.Activated(lease.Id));

        var report = await InfoAsync(place);
        Assert.Equal(engine, report.GetProperty("provider").GetString());
        Assert.Equal(2, report.GetProperty("rows").GetProperty("lease").GetInt64());
        Assert.Equal(0, report.GetProperty("rows").GetProperty("decision").GetInt64());
        Assert.Equal(0, report.GetProperty("rows").GetProperty("hold").GetInt64());
        Assert.Equal("""{"active":1,"pending":1}""", JsonSerializer.Serialize(report.GetProperty("liveLeases")));
        Assert.Equal([store.Position.AuditHead.ToString()], Texts(report, "heads"));
        Assert.Empty(Texts(report, "pending"));
        Assert.Empty(Texts(report, "unknown"));
        Assert.Matches("^[0-9]{4}_[a-z_]+$", report.GetProperty("version").GetString());
        Assert.InRange(report.GetProperty("bytes").GetInt64(), 10_000, 100_000_000);

        // As a person sees it: every figure, and nothing of the password that leads there.
        var shown = await CliRun.RunAsync(NoVariables, atTerminal: true, "store", "info", "--store", place.Argument);
        Assert.Equal(0, shown.ExitCode);
        Assert.Contains("1 active, 1 pending", shown.Out, StringComparison.Ordinal);
        Assert.Contains(store.Position.AuditHead.ToString(), shown.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("password-of-the-store", shown.Out + report, StringComparison.Ordinal);

        // It changed nothing, and the broker goes on.
        await CommitAsync(store, samples.Opened());
        Assert.Equal(3, (await InfoAsync(place)).GetProperty("rows").GetProperty("lease").GetInt64());
    }

    [Fact]
    public async Task Info_and_migrate_make_no_file_where_none_is()
    {
        using var place = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        foreach (var command in new[] { "info", "migrate" })
        {
            var run = await CliRun.RunAsync(NoVariables, "store", command, "--store", place.Argument);
            Assert.Equal(4, run.ExitCode);
            Assert.Contains("There is no store at", run.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(place.Options.SqliteFile));
        }
    }

    [Theory]
    [InlineData("host=db;password=secret-word")]
    [InlineData("postgresql://u:secret-word@db/x")]
    [InlineData("sqlite:")]
    [InlineData("postgres:")]
    public async Task What_is_no_store_is_refused_and_not_repeated(string argument)
    {
        var run = await CliRun.RunAsync(NoVariables, "store", "info", "--store", argument);
        Assert.Equal(2, run.ExitCode);
        Assert.DoesNotContain("secret-word", run.Out + run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite)]
    [InlineData(UpkeepStore.Postgres)]
    public async Task Migrate_does_what_is_lacking_says_it_and_then_has_nothing_to_do(string engine)
    {
        using var place = await UpkeepStore.MakeAsync(engine, postgres);
        using (var store = place.Open(_time))
        {
            await CommitAsync(store, new StoreSamples(_time).Opened());
        }

        await place.ExecuteAsync(
            "ALTER TABLE store DROP COLUMN closed; DELETE FROM schemaversions WHERE scriptname LIKE '%\\_closed.sql' ESCAPE '\\'"
        );
        var pending = Assert.Single(Texts(await InfoAsync(place), "pending"));
        Assert.EndsWith(Newest, pending, StringComparison.Ordinal);

        var run = await CliRun.RunAsync(NoVariables, "store", "migrate", "--store", place.Argument, "-o", "json");
        Assert.Equal((0, $$"""{"done":["{{pending}}"]}"""), (run.ExitCode, run.Out.Trim()));
        Assert.Empty(Texts(await InfoAsync(place), "pending"));

        var again = await CliRun.RunAsync(NoVariables, "store", "migrate", "--store", place.Argument);
        Assert.Equal((0, ""), (again.ExitCode, again.Out));
        Assert.Contains("Nothing was to do", again.Error, StringComparison.Ordinal);
        using var reopened = place.Open(_time);
        Assert.Equal(1, (await InfoAsync(place)).GetProperty("rows").GetProperty("lease").GetInt64());
    }

    [Fact]
    public async Task Migrate_makes_the_tables_of_an_empty_schema()
    {
        using var place = await UpkeepStore.MakeAsync(UpkeepStore.Postgres, postgres);
        var empty = await InfoAsync(place);
        Assert.False(empty.TryGetProperty("version", out _));
        Assert.Equal(SqlMigrations.Known("PostgreSql"), Texts(empty, "pending"));

        var run = await CliRun.RunAsync(NoVariables, "store", "migrate", "--store", place.Argument);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            SqlMigrations.Known("PostgreSql").Select(name => $"Done: {name}"),
            run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        );
        Assert.Empty(Texts(await InfoAsync(place), "pending"));
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite)]
    [InlineData(UpkeepStore.Postgres)]
    public async Task Migrate_beside_a_broker_is_refused_and_changes_nothing(string engine)
    {
        using var place = await UpkeepStore.MakeAsync(engine, postgres);
        using var store = place.Open(_time);
        await place.ExecuteAsync("DELETE FROM schemaversions WHERE scriptname LIKE '%\\_closed.sql' ESCAPE '\\'");

        var run = await CliRun.RunAsync(NoVariables, "store", "migrate", "--store", place.Argument);
        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Contains("Another broker uses", run.Error, StringComparison.Ordinal);
        Assert.Single(Texts(await InfoAsync(place), "pending"));
        await CommitAsync(store, new StoreSamples(_time).Opened());
    }

    [Theory]
    [InlineData(UpkeepStore.Sqlite)]
    [InlineData(UpkeepStore.Postgres)]
    public async Task A_store_of_a_newer_version_is_said_to_be_one_and_not_migrated(string engine)
    {
        using var place = await UpkeepStore.MakeAsync(engine, postgres);
        place.Open(_time).Dispose();
        await place.ExecuteAsync(
            "INSERT INTO schemaversions (scriptname, applied) VALUES ('CredBroker.Storage.Migrations.X.9999_later.sql', '2030-01-01')"
        );

        var info = await CliRun.RunAsync(NoVariables, "store", "info", "--store", place.Argument);
        Assert.Equal(5, info.ExitCode);
        Assert.Contains("9999_later", info.Out, StringComparison.Ordinal);

        var run = await CliRun.RunAsync(NoVariables, "store", "migrate", "--store", place.Argument);
        Assert.Equal((1, ""), (run.ExitCode, run.Out));
        Assert.Contains("newer version", run.Error, StringComparison.Ordinal);
    }

    private static IReadOnlyDictionary<string, string> NoVariables { get; } = new Dictionary<string, string>();

    private static async Task<JsonElement> InfoAsync(UpkeepStore place)
    {
        var run = await CliRun.RunAsync(NoVariables, "store", "info", "--store", place.Argument, "--output", "json");
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonElement.Parse(run.Out);
    }

    private static IEnumerable<string?> Texts(JsonElement report, string name) =>
        report.GetProperty(name).EnumerateArray().Select(text => text.GetString());

    private static async Task CommitAsync(SqlBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));
}
