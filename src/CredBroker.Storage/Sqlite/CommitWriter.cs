using CredBroker.Core.Audit;
using CredBroker.Core.State;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The only writer. One thread takes whatever waits and commits it together: many changes, one flush to disk. Each
/// change has its own savepoint, so a guard that fails or a row that cannot be written takes no other along; a batch
/// that fails as a whole is tried again item by item. Callers hear of a change only after it is durable.
/// </summary>
internal sealed partial class CommitWriter : IDisposable
{
    private const int MaxBatch = 512;

    // A disk that stays full fails every item: after so many in a row the rest is not tried any more.
    private const int MaxFailuresInARow = 4;
    private readonly WriteSession _session;
    private readonly StoreClock _clock;
    private readonly CommitQueue _queue;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly long _stream;
    private long _batch;
    private bool _mustReadHead;
    private volatile Committed _committed;

    /// <summary>Opens this process's audit stream (one commit, on the caller's thread) and starts.</summary>
    public CommitWriter(WriteSession session, StoreClock clock, CommitQueue queue, ILogger logger)
    {
        (_session, _clock, _queue, _logger) = (session, clock, queue, logger);
        var (persisted, batch) = session.ReadFirst(
            "SELECT clock, batch FROM store",
            row => (row.Number(0), row.Number(1))
        );
        (_batch, session.Now) = (batch, clock.Advance(persisted));
        session.Execute("BEGIN IMMEDIATE");
        session.Now = clock.Now();
        var opened = AuditRecordWriter.WriteBody(AuditStreams.Opened(SqlAuditStore.ReadNewest(session)));
        _stream = SqlAuditStore.OpenStream(session);
        session.Head = StoreHead.Read(session, _stream);
        SqlAuditStore.Append(session, _stream, opened);
        EndBatch(0);
        session.Execute("COMMIT");
        _committed = new(session.Head);
        _thread = new Thread(Run) { Name = "CredBroker store writer", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Fence, policy version and audit head of the newest commit.</summary>
    public StoreHead Head => _committed.Head;

    /// <summary>Commits what still waits, closes the stream and stops.</summary>
    public void Dispose()
    {
        _queue.Close();
        _thread.Join();
        _session.Dispose();
    }

    private void Run()
    {
        var batch = new List<PendingCommit>(MaxBatch);
        while (_queue.Take(batch, MaxBatch))
        {
            Commit(batch);
            batch.Clear();
        }

        var closing = new PendingCommit(new StateChange.EventRecorded { Event = AuditStreams.Closed });
        if (TryCommit([closing]) is { } failure)
        {
            LogCloseFailed(_logger, failure.Exception);
        }
    }

    private void Commit(List<PendingCommit> batch)
    {
        if (batch.Count == 0 || TryCommit(batch) is not { } failure)
        {
            return;
        }

        LogBatchFailed(_logger, failure.Exception, batch.Count);
        var inARow = 0;
        foreach (var change in batch)
        {
            if (failure is null or { IsOutcomeKnown: true } && inARow < MaxFailuresInARow)
            {
                failure = TryCommit([change]);
                inARow = failure is null ? 0 : inARow + 1;
            }

            if (failure is not null)
            {
                change.SetException(failure.Exception);
            }
        }
    }

    /// <summary>
    /// Commits the changes together and answers them; or commits and answers nothing, and returns why.
    /// </summary>
    private Failure? TryCommit(List<PendingCommit> changes)
    {
        var results = new Result[changes.Count];
        var isCommitting = false;
        try
        {
            var before = ReadHeadIfUnknown();
            (_session.Now, _session.Head) = (_clock.Now(), before);
            _session.Execute("BEGIN IMMEDIATE");
            for (var i = 0; i < results.Length; i++)
            {
                results[i] = ApplyAlone(changes[i]);
            }

            if (Array.Exists(results, result => result.Outcome is CommitOutcome.Committed))
            {
                EndBatch(before.Audit.Sequence);
            }

            isCommitting = true;
            _session.Execute("COMMIT");
        }
        catch (Exception e)
        {
            // Whatever it is: callers are waiting for their answer, and the thread must live on.
            var wasCommitted = isCommitting ? ReadBack() : false;
            if (wasCommitted != true)
            {
                return GiveUp(e, isOutcomeKnown: wasCommitted == false);
            }
        }

        _committed = new(_session.Head);
        for (var i = 0; i < results.Length; i++)
        {
            results[i].Answer(changes[i]);
        }

        return null;
    }

    /// <summary>One change, of however many transitions, in its own savepoint.</summary>
    private Result ApplyAlone(PendingCommit commit)
    {
        var before = _session.Head;
        _session.Execute("SAVEPOINT change");
        Result result;
        try
        {
            result = new(Apply(commit.Changes));
        }
        catch (Exception e) when (_session.InTransaction && IsOwnFault(e))
        {
            LogChangeRefused(_logger, e, commit.Names);
            result = new(
                null,
                new StoreUnavailableException("The store refused this change. Nothing of it was committed.", e)
            );
        }

        if (result.Outcome is not CommitOutcome.Committed)
        {
            _session.Execute("ROLLBACK TO change");
            _session.Head = before;
        }

        _session.Execute("RELEASE change");
        return result;
    }

    private CommitOutcome Apply(ReadOnlySpan<PreparedChange> changes)
    {
        var (position, number) = (default(AuditPosition), 0L);
        foreach (ref readonly var change in changes)
        {
            var applied = SqlStateChange.Apply(_session, change);
            if (applied.Failure is { } guard)
            {
                return new CommitOutcome.GuardFailed(guard);
            }

            number = applied.Number == 0 ? number : applied.Number;
            if (applied.IsRecorded && change.EventBody is { } body)
            {
                position = SqlAuditStore.Append(_session, _stream, body);
            }
        }

        return new CommitOutcome.Committed(_session.Now, position, number);
    }

    // A row that breaks a rule of the schema, or a value that cannot be written. Anything else of SQLite's concerns the
    // whole batch.
    private static bool IsOwnFault(Exception e) =>
        e is not SqliteException sqlite
        || sqlite.SqliteErrorCode
            is SQLitePCL.raw.SQLITE_CONSTRAINT
                or SQLitePCL.raw.SQLITE_TOOBIG
                or SQLitePCL.raw.SQLITE_MISMATCH
                or SQLitePCL.raw.SQLITE_RANGE;

    private void EndBatch(long sequenceBefore)
    {
        if (_session.Head.Audit.Sequence > sequenceBefore)
        {
            SqlAuditStore.EndBatch(_session, _stream, sequenceBefore + 1);
        }

        _session.Execute(
            "UPDATE store SET clock = $clock, batch = $batch",
            ("$clock", _session.NowColumn),
            ("$batch", ++_batch)
        );
    }

    /// <summary>
    /// COMMIT itself reported an error: only the file knows what became of it. Null when it does not answer either.
    /// </summary>
    private bool? ReadBack()
    {
        try
        {
            return !_session.InTransaction
                && _session.ReadFirst("SELECT batch FROM store", row => row.Number(0)) == _batch;
        }
        catch (SqliteException e)
        {
            LogReadBackFailed(_logger, e);
            _mustReadHead = true;
            return null;
        }
    }

    private StoreHead ReadHeadIfUnknown()
    {
        if (_mustReadHead)
        {
            _committed = new(StoreHead.Read(_session, _stream));
            _mustReadHead = false;
        }

        return _committed.Head;
    }

    private Failure GiveUp(Exception cause, bool isOutcomeKnown)
    {
        try
        {
            if (_session.InTransaction)
            {
                _session.Execute("ROLLBACK");
            }
        }
        catch (SqliteException e)
        {
            LogRollbackFailed(_logger, e);
        }

        var outcome = isOutcomeKnown
            ? "Nothing was committed."
            : "The outcome is unknown: what was being committed may be there.";
        return new(new($"The store does not accept: {cause.Message} {outcome}", cause), isOutcomeKnown);
    }

    [LoggerMessage(
        EventId = 5101,
        Level = LogLevel.Error,
        Message = "A batch of {Count} changes failed; they are tried one by one"
    )]
    private static partial void LogBatchFailed(ILogger logger, Exception failure, int count);

    [LoggerMessage(
        EventId = 5102,
        Level = LogLevel.Error,
        Message = "The store refused a {Change}; its batch goes on without it"
    )]
    private static partial void LogChangeRefused(ILogger logger, Exception exception, string change);

    [LoggerMessage(EventId = 5103, Level = LogLevel.Critical, Message = "A failed batch could not be rolled back")]
    private static partial void LogRollbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        EventId = 5104,
        Level = LogLevel.Critical,
        Message = "A commit failed and could not be read back: its outcome is unknown"
    )]
    private static partial void LogReadBackFailed(ILogger logger, Exception exception);

    [LoggerMessage(
        EventId = 5105,
        Level = LogLevel.Warning,
        Message = "The audit stream could not be closed; the next start names its head all the same"
    )]
    private static partial void LogCloseFailed(ILogger logger, Exception failure);

    // A reference, so that readers see head and numbers of one commit together.
    private sealed record Committed(StoreHead Head);

    private sealed record Failure(StoreUnavailableException Exception, bool IsOutcomeKnown);

    private readonly record struct Result(CommitOutcome? Outcome, StoreUnavailableException? Fault = null)
    {
        public void Answer(PendingCommit commit)
        {
            if (Outcome is not null)
            {
                commit.SetResult(Outcome);
            }
            else
            {
                commit.SetException(Fault!);
            }
        }
    }
}
