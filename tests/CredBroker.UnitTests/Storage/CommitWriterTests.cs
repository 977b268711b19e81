using CredBroker.Core.Leases;
using CredBroker.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Storage;

/// <summary>The writer on a disk that is full: the test holds its connection and limits the file's pages.</summary>
public sealed class CommitWriterTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;
    private readonly CommitQueue _queue = new(1000);
    private readonly SqliteFile _file;
    private readonly SqliteConnection _connection;
    private readonly CommitWriter _writer;

    public CommitWriterTests()
    {
        _file = SqliteFile.Open(Path.Combine(_directory, "broker.db"));
        _connection = _file.OpenWriter();
        _writer = new(new WriteSession(_connection), new StoreClock(new FakeTimeProvider()), _queue, NullLogger.Instance);
    }

    [Fact]
    public async Task A_full_disk_refuses_changes_keeps_answering_and_recovers()
    {
        await Commit("before");
        LimitPages(1);
        var failures = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Assert.ThrowsAsync<StoreUnavailableException>(() => Commit(Big))));
        Assert.All(failures, failure => Assert.Contains("Nothing was committed", failure.Message, StringComparison.Ordinal));
        Assert.Equal(2, _writer.Head.Audit.Sequence);
        LimitPages(1_000_000);
        await Commit(Big);
        Assert.Equal(3, _writer.Head.Audit.Sequence);
        Assert.Equal(3, Count());
    }

    [Fact]
    public async Task What_does_not_fit_on_a_nearly_full_disk_takes_no_neighbour_along()
    {
        LimitPages(60);
        for (var round = 0; round < 10; round++)
        {
            var refused = Commit(Big);
            var small = Enumerable.Range(0, 10).Select(_ => Commit("small")).ToList();
            await Assert.ThrowsAsync<StoreUnavailableException>(() => refused);
            Assert.All(await Task.WhenAll(small), outcome => Assert.IsType<CommitOutcome.Committed>(outcome));
        }

        Assert.Equal(101, _writer.Head.Audit.Sequence);
        Assert.Equal(101, Count());
    }

    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Big { get; } = new('x', 500_000);

    private Task<CommitOutcome> Commit(string reason)
    {
        var commit = new PendingCommit(StoreSamples.Recorded(StoreSamples.Event() with { Reason = reason }));
        _queue.Add(commit);
        return commit.Task;
    }

    private long LimitPages(int pages) => Read(_connection, $"PRAGMA max_page_count={pages}");

    private long Count()
    {
        using var reader = _file.OpenReader();
        return Read(reader, "SELECT count(*) FROM audit_record");
    }

    private static long Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
