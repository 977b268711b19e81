using System.IO.Pipelines;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>Kills a process that writes, and looks at what it left.</summary>
public sealed class StoreKillTests : IDisposable
{
    private const int Kills = 5;
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-kill-").FullName;

    private string FilePath => Path.Combine(_directory, "broker.db");

    [Fact]
    public async Task What_was_acknowledged_before_a_kill_is_there_with_its_event()
    {
        for (var kill = 1; kill <= Kills; kill++)
        {
            await using (var writer = Start(kill))
            {
                await WaitForAsync(writer, Path.Combine(_directory, $"acknowledged-{kill}-0"), 100 * kill);
                await writer.KillAsync();
            }
        }

        using var store = SqliteBrokerStore.Open(
            new() { SqliteFile = FilePath },
            TimeProvider.System,
            NullLogger<SqliteBrokerStore>.Instance
        );
        var (opened, activated) = await ReadLogAsync(store);
        var acknowledged = Directory.GetFiles(_directory, "acknowledged-*").SelectMany(CompleteLines).ToList();
        Assert.NotEmpty(acknowledged);
        foreach (var line in acknowledged)
        {
            var (what, leaseId, position) = (line.Split(' ')[0], line.Split(' ')[1], line.Split(' ')[2]);
            Assert.Equal(position, (what == "opened" ? opened : activated)[leaseId].ToString());
            Assert.True(
                (await store.Leases.FindAsync(leaseId, default))?.State == LeaseState.Active || what == "opened"
            );
        }

        // The other way round: no lease without its event, no event without its lease, acknowledged or not.
        var (leases, after) = (new List<Lease>(), default(string));
        do
        {
            var page = await store.Leases.ListAsync(new() { After = after, Limit = 1000 }, default);
            leases.AddRange(page.Leases);
            after = page.Next;
        } while (after is not null);
        Assert.Equal(opened.Keys.Order(), leases.Select(lease => lease.Id).Order());
        Assert.Equal(
            activated.Keys.Order(),
            leases.Where(lease => lease.State == LeaseState.Active).Select(lease => lease.Id).Order()
        );
        await AssertVerifiesAsync(store);
    }

    [Fact]
    public async Task Another_process_on_the_same_file_is_refused_and_let_in_after_a_kill()
    {
        await using var writer = Start(1);
        await WaitForAsync(writer, Path.Combine(_directory, "acknowledged-1-0"), 1);
        var refused = Assert.Throws<StoreUnavailableException>(Open);
        Assert.Contains("Another broker uses", refused.Message, StringComparison.Ordinal);
        await writer.KillAsync();
        Open().Dispose();

        SqliteBrokerStore Open() =>
            SqliteBrokerStore.Open(
                new() { SqliteFile = FilePath },
                TimeProvider.System,
                NullLogger<SqliteBrokerStore>.Instance
            );
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private ChildProcess Start(int run) =>
        ChildProcess.Start(
            "dotnet",
            [
                typeof(StoreKillTests).Assembly.Location,
                StoreWriter.Command,
                FilePath,
                Path.Combine(_directory, $"acknowledged-{run}"),
            ]
        );

    private static async Task WaitForAsync(ChildProcess writer, string path, int lines)
    {
        await Eventually.BecomesTrueAsync(
            () =>
            {
                Assert.False(writer.HasExited, writer.Output);
                return Task.FromResult(File.Exists(path) && CompleteLines(path).Count() >= lines);
            },
            "the writer's writing"
        );
    }

    /// <summary>The kill may have cut the last line.</summary>
    private static IEnumerable<string> CompleteLines(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var text = reader.ReadToEnd();
        return text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task<(
        Dictionary<string, AuditPosition> Opened,
        Dictionary<string, AuditPosition> Activated
    )> ReadLogAsync(SqliteBrokerStore store)
    {
        var (opened, activated) = (new Dictionary<string, AuditPosition>(), new Dictionary<string, AuditPosition>());
        await foreach (var record in store.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default))
        {
            var events = AuditRecordHeader.Read(record.Bytes.Span)!.Type switch
            {
                RequestAllowed.TypeName => opened,
                LeaseIssued.TypeName => activated,
                _ => null,
            };
            events?.Add(
                JsonDocument.Parse(record.Bytes).RootElement.GetProperty("lease").GetString()!,
                new(record.Stream, record.Sequence, AuditRecordWriter.Hash(record.Bytes.Span))
            );
        }

        return (opened, activated);
    }

    private static async Task AssertVerifiesAsync(SqliteBrokerStore store)
    {
        using var file = new MemoryStream();
        var pipe = PipeWriter.Create(file, new StreamPipeWriterOptions(leaveOpen: true));
        await new AuditExport(store).WriteAsync(pipe, null, null, null, default);
        await pipe.CompleteAsync();
        file.Position = 0;
        var result = await AuditVerifier.VerifyAsync(file, [store.Position.AuditHead], default);
        Assert.Null(result.Fault);
        Assert.Equal(Kills + 1, result.Streams.Count);
    }
}
