using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The only writer. One thread takes whatever waits and commits it together: many changes, one flush to disk. Each change has its own savepoint, so a guard that fails or a row
/// that cannot be written takes no other along; a batch that fails as a whole is tried again item by item. Callers hear of a change only after it is durable.
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
    private long _streamNumber;
    private long _batch;
    private volatile Committed _committed = null!;

    /// <summary>Opens the stream (one commit on the caller's thread), then starts.</summary>
    public CommitWriter(WriteSession session, StoreClock clock, CommitQueue queue, ILogger logger)
    {
        (_session, _clock, _queue, _logger) = (session, clock, queue, logger);
        OpenStream();
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

    private void OpenStream()
    {
        var (persisted, batch) = _session.ReadFirst("SELECT clock, batch FROM store", row => (row.Number(0), row.Number(1)));
        _batch = batch;
        _clock.Advance(persisted);
        _session.Execute("BEGIN IMMEDIATE");
        _session.Now = _clock.Now();
        var found = SqlAuditStore.ReadNewest(_session);
        var stream = SqlAuditStore.NextStream(_session);
        _session.Head = new(
            _session.ReadFirst("SELECT coalesce(max(fence), 0) FROM revocation_order", row => row.Number(0)),
            _session.ReadFirst("SELECT coalesce(max(version), 0) FROM policy_version", row => row.Number(0)),
            new(stream, 0, AuditPosition.NoHash));
        _streamNumber = SqlAuditStore.OpenStream(_session, stream);
        SqlAuditStore.Append(_session, _streamNumber, AuditRecordWriter.WriteBody(AuditStreams.Opened(found)));
        EndBatch(0);
        _session.Execute("COMMIT");
        _committed = new(_session.Head);
    }

    private void Run()
    {
        var batch = new List<PendingCommit>(MaxBatch);
        while (_queue.Take(batch, MaxBatch))
        {
            if (batch.Count > 0)
            {
                Commit(batch);
                batch.Clear();
            }
        }

        CloseStream();
    }

    private void Commit(List<PendingCommit> batch)
    {
        if (TryCommit(batch) is not { } failure)
        {
            return;
        }

        LogBatchFailed(_logger, failure, batch.Count);
        for (int i = 0, inARow = 0; i < batch.Count; i++)
        {
            if (batch.Count > 1 && inARow < MaxFailuresInARow)
            {
                failure = TryCommit([batch[i]]);
                inARow = failure is null ? 0 : inARow + 1;
            }

            if (failure is not null)
            {
                batch[i].SetException(failure);
            }
        }
    }

    /// <summary>Commits the changes together and answers them; or commits and answers nothing, and returns why.</summary>
    private StoreUnavailableException? TryCommit(List<PendingCommit> changes)
    {
        var results = new Result[changes.Count];
        var committing = false;
        try
        {
            _session.Now = _clock.Now();
            _session.Head = _committed.Head;
            _session.Execute("BEGIN IMMEDIATE");
            for (var i = 0; i < results.Length; i++)
            {
                results[i] = ApplyAlone(changes[i]);
            }

            if (results.Any(result => result.Outcome is CommitOutcome.Committed))
            {
                EndBatch(_committed.Head.Audit.Sequence);
            }

            committing = true;
            _session.Execute("COMMIT");
        }
        catch (Exception e)
        {
            // Whatever it was: callers are waiting, and the thread must live on.
            if (!committing || !WasCommitted())
            {
                return GiveUp(e, isUnknown: committing && !_session.InTransaction);
            }
        }

        _committed = new(_session.Head);
        for (var i = 0; i < results.Length; i++)
        {
            results[i].Answer(changes[i]);
        }

        return null;
    }

    /// <summary>One change in its own savepoint.</summary>
    private Result ApplyAlone(PendingCommit commit)
    {
        var before = _session.Head;
        _session.Execute("SAVEPOINT change");
        Result result;
        try
        {
            var applied = Apply(commit);
            result = applied.Failure is { } guard
                ? new(new CommitOutcome.GuardFailed(guard))
                : new(new CommitOutcome.Committed(
                    _session.Now, applied.IsRecorded ? SqlAuditStore.Append(_session, _streamNumber, commit.EventBody) : null, applied.Number));
        }
        catch (Exception e) when (_session.InTransaction && IsOwnFault(e))
        {
            LogChangeRefused(_logger, e, commit.Change.GetType().Name);
            result = new(null, new StoreUnavailableException("The store refused this change. Nothing of it was committed.", e));
        }

        if (result.Outcome is not CommitOutcome.Committed)
        {
            _session.Execute("ROLLBACK TO change");
            _session.Head = before;
        }

        _session.Execute("RELEASE change");
        return result;
    }

    private Applied Apply(PendingCommit commit) => commit.Change switch
    {
        StateChange.LeaseOpened change => SqlLeaseStore.Open(_session, change, commit.DecisionJson),
        StateChange.LeaseActivated change => SqlLeaseStore.Activate(_session, change),
        StateChange.HandlesRecorded change => SqlLeaseStore.RecordHandles(_session, change),
        StateChange.LeaseRenewed change => SqlLeaseStore.Renew(_session, change),
        StateChange.RequestDenied change => SqlLeaseStore.Deny(_session, change, commit.DecisionJson),
        StateChange.RevocationClaimed change => SqlRevocationStore.Claim(_session, change),
        StateChange.AccessorRevoked change => SqlRevocationStore.RecordAccessor(_session, change),
        StateChange.LeaseRevoked change => SqlRevocationStore.Confirm(_session, change),
        StateChange.RevocationFailed change => SqlRevocationStore.Fail(_session, change),
        StateChange.LeaseEnded change => SqlRevocationStore.End(_session, change),
        StateChange.RevocationOrdered change => SqlOrderStore.Insert(_session, change.Order),
        StateChange.RevocationEnumerated change => SqlOrderStore.Enumerated(_session, change),
        StateChange.TaskClosed change => SqlTaskStore.Close(_session, change),
        StateChange.PolicyApplied change => SqlPolicyStore.Apply(_session, change),
        StateChange.EventRecorded => Applied.Done,
        _ => throw new NotSupportedException($"The store does not know the change {commit.Change.GetType().Name}."),
    };

    // A row that breaks a rule of the schema, or a value that cannot be written. Anything else of SQLite's concerns the whole batch.
    private static bool IsOwnFault(Exception e) => e is not SqliteException sqlite || sqlite.SqliteErrorCode is SQLitePCL.raw.SQLITE_CONSTRAINT
        or SQLitePCL.raw.SQLITE_TOOBIG or SQLitePCL.raw.SQLITE_MISMATCH or SQLitePCL.raw.SQLITE_RANGE;

    private void EndBatch(long sequenceBefore)
    {
        if (_session.Head.Audit.Sequence > sequenceBefore)
        {
            SqlAuditStore.EndBatch(_session, _streamNumber, sequenceBefore + 1);
        }

        _session.Execute("UPDATE store SET clock = $clock, batch = $batch", ("$clock", _session.NowColumn), ("$batch", ++_batch));
    }

    // SQLite reported an error from COMMIT: only the file knows what became of it.
    private bool WasCommitted()
    {
        try
        {
            return !_session.InTransaction && _session.ReadFirst("SELECT batch FROM store", row => row.Number(0)) == _batch;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    private StoreUnavailableException GiveUp(Exception cause, bool isUnknown)
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

        return new(
            $"The store does not accept: {cause.Message} "
            + (isUnknown ? "The outcome is unknown: what was being committed may reappear after a crash." : "Nothing was committed."), cause);
    }

    private void CloseStream()
    {
        var closing = new PendingCommit(new StateChange.EventRecorded { Event = AuditStreams.Closed });
        closing.TryTake();
        if (TryCommit([closing]) is { } failure)
        {
            LogCloseFailed(_logger, failure);
        }
    }

    [LoggerMessage(EventId = 5101, Level = LogLevel.Error, Message = "A batch of {Count} changes failed; they are tried one by one")]
    private static partial void LogBatchFailed(ILogger logger, Exception failure, int count);

    [LoggerMessage(EventId = 5102, Level = LogLevel.Error, Message = "The store refused a {Change}; its batch goes on without it")]
    private static partial void LogChangeRefused(ILogger logger, Exception exception, string change);

    [LoggerMessage(EventId = 5103, Level = LogLevel.Critical, Message = "A failed batch could not be rolled back")]
    private static partial void LogRollbackFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventId = 5104, Level = LogLevel.Warning, Message = "The audit stream could not be closed; the next start names its head all the same")]
    private static partial void LogCloseFailed(ILogger logger, Exception failure);

    // A reference, so that readers see head and numbers of one commit together.
    private sealed record Committed(StoreHead Head);

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
