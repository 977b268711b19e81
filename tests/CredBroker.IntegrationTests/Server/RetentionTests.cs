using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A server that archives its audit log, killed (SIGKILL) between the steps of that and started again.</summary>
public sealed class RetentionTests : IAsyncLifetime
{
    private const int Old = 5_000;

    private readonly TemporaryFolder _archives = new();
    private TestBroker _parts = null!;

    public async ValueTask InitializeAsync()
    {
        _parts = await TestBroker.StartAsync();
        await _parts.StopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _parts.DisposeAsync();
        _archives.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("archive-written")]
    [InlineData("archive-committed")]
    [InlineData("archive-half-deleted")]
    public async Task A_kill_between_any_two_steps_loses_no_record_and_the_next_start_goes_on(string? failpoint)
    {
#if !DEBUG
        Assert.SkipWhen(failpoint is not null, "Failpoints are compiled in Debug only.");
#endif
        var settings = await SettingsAsync();
        if (failpoint is not null)
        {
            await using var killed = await BrokerProcess.StartAsync(settings, failpoint);
            await killed.ReachedAsync(failpoint);
            await killed.KillAsync();
        }

        await using var broker = await BrokerProcess.StartAsync(settings);
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                try
                {
                    return (await ExportAsync(broker)).Length < 100_000;
                }
                catch (HttpRequestException)
                {
                    // An export during which records were archived breaks off.
                    return false;
                }
            },
            "the old records are gone from the store"
        );

        var archive = await File.ReadAllBytesAsync(Assert.Single(Directory.GetFiles(_archives.Path)));
        var rest = await VerifyAsync(await ExportAsync(broker));
        Assert.Contains("is archived in credbroker-audit-", rest.Range, StringComparison.Ordinal);
        var all = await VerifyAsync([.. archive, .. await ExportAsync(broker)]);
        Assert.True(all.IsWhole, all.Range);
        Assert.InRange(all.Records, Old + 2, Old + 200);
    }

    /// <summary>The settings of a broker whose store has records of yesterday, which are too old for it.</summary>
    private async Task<IReadOnlyDictionary<string, string?>> SettingsAsync()
    {
        var settings = _parts.Settings();
        settings["Storage:SqliteFile"] = Path.Combine(_parts.Folder, "old.db");
        settings["Audit:KeepFor"] = "01:00:00";
        settings["Audit:ArchiveTo"] = _archives.Path;
        settings["Log:Level"] = "Information";
        using var store = SqliteBrokerStore.Open(
            new() { SqliteFile = settings["Storage:SqliteFile"]! },
            new FakeTimeProvider(TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(20)),
            NullLogger<SqliteBrokerStore>.Instance
        );
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Old),
            new ParallelOptions { MaxDegreeOfParallelism = 256 },
            async (_, end) =>
                Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(StoreSamples.Recorded(), end))
        );
        return settings;
    }

    private async Task<byte[]> ExportAsync(BrokerProcess broker)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/audit/export")
        {
            Headers = { Authorization = new("Bearer", _parts.Person("auditor")) },
        };
        using var response = await broker.Http.SendAsync(request);
        return await response.Content.ReadAsByteArrayAsync();
    }

    private static async Task<AuditVerification> VerifyAsync(byte[] file)
    {
        var verification = await AuditVerifier.VerifyAsync(new MemoryStream(file), [], default);
        Assert.Null(verification.Fault);
        return verification;
    }
}
