using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Cli;
using CredBroker.Storage.Sql;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>Stores on each engine, filled, and <c>credbroker store copy</c> from one to another.</summary>
public abstract class StoreCopyTestBase
{
    private protected static readonly IReadOnlyDictionary<string, string> NoVariables =
        new Dictionary<string, string>();
    private protected readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    /// <summary>A store with a row in each table, of which a broker was stopped.</summary>
    private protected async Task<(Lease Live, Lease Gone, IReadOnlyList<AuditRecord> Records)> FillAsync(
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

    private protected static async Task<IReadOnlyList<AuditRecord>> RecordsAsync(UpkeepStore place)
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

    private protected static async Task<List<AuditRecord>> ReadAsync(SqlBrokerStore store)
    {
        var records = new List<AuditRecord>();
        await foreach (var record in store.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default))
        {
            records.Add(record);
        }

        return records;
    }

    private protected static string Bytes(AuditRecord record) => Convert.ToHexString(record.Bytes.Span);

    private protected static Task<CliRun> CopyAsync(UpkeepStore from, UpkeepStore to) =>
        CliRun.RunAsync(NoVariables, "store", "copy", "--from", from.Argument, "--to", to.Argument, "-o", "json");

    private protected static async Task<JsonElement> CopiedAsync(UpkeepStore from, UpkeepStore to)
    {
        var run = await CopyAsync(from, to);
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonElement.Parse(run.Out);
    }

    private protected static async Task<JsonElement> InfoAsync(UpkeepStore place)
    {
        var run = await CliRun.RunAsync(NoVariables, "store", "info", "--store", place.Argument, "-o", "json");
        Assert.True(run.ExitCode == 0, run.Error);
        return JsonElement.Parse(run.Out);
    }

    private protected static async Task CommitAsync(SqlBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));
}
