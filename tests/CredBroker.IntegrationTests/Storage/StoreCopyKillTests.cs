using CredBroker.Core.State;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Upkeep;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>A copy of a store that is killed: no two truths, and it can be made again.</summary>
public sealed class StoreCopyKillTests(SharedPostgres postgres) : StoreCopyTestBase, IClassFixture<SharedPostgres>
{
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
}
