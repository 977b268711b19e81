using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using SQLitePCL;

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
        _writer = new(
            new SqliteSession(_file, _connection, new StoreClock(new FakeTimeProvider())),
            _queue,
            NullLogger.Instance
        );
    }

    [Fact]
    public async Task A_full_disk_refuses_changes_keeps_answering_and_recovers()
    {
        await Commit("before");
        LimitPages(1);
        var failures = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => Assert.ThrowsAsync<StoreUnavailableException>(() => Commit(Big)))
        );
        Assert.All(
            failures,
            failure => Assert.Contains("Nothing was committed", failure.Message, StringComparison.Ordinal)
        );
        Assert.Equal(2, _writer.Head.Audit.Sequence);
        LimitPages(1_000_000);
        await Commit(Big);
        Assert.Equal(3, _writer.Head.Audit.Sequence);
        Assert.Equal(3, Count());
    }

    [Fact]
    public async Task What_does_not_fit_on_a_nearly_full_disk_takes_no_neighbour_along()
    {
        // What the store has as it begins, and room for small changes alone.
        LimitPages((int)Read(_connection, "PRAGMA page_count") + 40);
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

    [Fact]
    public async Task A_commit_that_fails_is_read_back_and_tried_again_item_by_item()
    {
        FailCommits(1);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Commit("x")));
        Assert.All(outcomes, outcome => Assert.IsType<CommitOutcome.Committed>(outcome));
        Assert.Equal(51, Count());
    }

    [Fact]
    public async Task Commits_that_fail_again_and_again_are_answered()
    {
        FailCommits(int.MaxValue);
        var failures = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Assert.ThrowsAsync<StoreUnavailableException>(() => Commit("x")))
        );
        Assert.All(
            failures,
            failure => Assert.Contains("Nothing was committed", failure.Message, StringComparison.Ordinal)
        );
        FailCommits(0);
        await Commit("after");
        Assert.Equal((2, 2), (_writer.Head.Audit.Sequence, Count()));
    }

    [Fact]
    public async Task An_outcome_that_cannot_be_read_back_is_called_unknown_and_the_chain_goes_on()
    {
        // The commit is undone, and the statement that would read it back is forbidden: to the writer anything may have
        // happened.
        FailCommits(int.MaxValue);
        var isForbidden = true;
        raw.sqlite3_set_authorizer(
            _connection.Handle,
            (_, action, table, _, _, _) =>
                isForbidden && action == raw.SQLITE_READ && table.utf8_to_string() == "store"
                    ? raw.SQLITE_DENY
                    : raw.SQLITE_OK,
            null!
        );
        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => Commit("x"));
        Assert.Contains("outcome is unknown", failure.Message, StringComparison.Ordinal);

        isForbidden = false;
        FailCommits(0);
        await Commit("after");
        Assert.Equal((2, 2), (_writer.Head.Audit.Sequence, Count()));
    }

    [Fact]
    public async Task What_is_refused_for_what_there_is_already_has_its_batch_applied_once()
    {
        var samples = new StoreSamples(new FakeTimeProvider());
        var givenUp = 0;
        raw.sqlite3_rollback_hook(_connection.Handle, _ => givenUp++, null!);
        for (var i = 0; i < Approval.MaxOpenPerCaller; i++)
        {
            Assert.IsType<CommitOutcome.Committed>(await Commit(samples.Asked(digest: $"digest-{i}")));
        }

        // Each of them would be the first of its task.
        var outcomes = await Task.WhenAll(
            Commit("beside"),
            Commit(samples.Asked(samples.Decision(task: "t-2"), digest: "one more")),
            Commit(samples.Asked(samples.Decision(task: "t-3"), digest: "digest-1")),
            Commit(samples.Opened(samples.Lease(samples.Decision(task: "t-4")))),
            Commit(samples.Held(new() { Task = "t-5", Process = "invoices" })),
            Commit(samples.Opened(samples.Lease(samples.Decision(task: "t-5"))))
        );

        Assert.Equal(
            [null, GuardFailure.TooManyApprovals, GuardFailure.AlreadyAsked, null, null, GuardFailure.Held],
            outcomes.Select(outcome => (outcome as CommitOutcome.GuardFailed)?.Reason)
        );
        Assert.Equal(0, givenUp);
        Assert.Equal(2, _file.Read(connection => Read(connection, "SELECT count(*) FROM task")));
    }

    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static string Big { get; } = new('x', 500_000);

    private Task<CommitOutcome> Commit(string reason) =>
        Commit(StoreSamples.Recorded(StoreSamples.Event() with { Reason = reason }));

    private Task<CommitOutcome> Commit(StateChange change)
    {
        var commit = new PendingCommit(change);
        _queue.Add(commit);
        return commit.Task;
    }

    /// <summary>Lets SQLite turn the next commits into rollbacks.</summary>
    private void FailCommits(int count) => raw.sqlite3_commit_hook(_connection.Handle, _ => count-- > 0 ? 1 : 0, null!);

    private long LimitPages(int pages) => Read(_connection, $"PRAGMA max_page_count={pages}");

    private long Count() => _file.Read(connection => Read(connection, "SELECT count(*) FROM audit_record"));

    private static long Read(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
