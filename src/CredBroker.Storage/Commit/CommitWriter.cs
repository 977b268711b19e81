using System.Data.Common;
using CredBroker.Core.Audit;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Commit;

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
    private readonly CommitSession _session;
    private readonly CommitQueue _queue;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private volatile Committed _committed;
    private volatile string? _fault;

    /// <summary>Enters the audit stream (one commit, on the caller's thread) and starts.</summary>
    public CommitWriter(CommitSession session, CommitQueue queue, ILogger logger)
    {
        (_session, _queue, _logger) = (session, queue, logger);
        session.Begin([], mayAssume: false);
        session.TakeOver();
        session.EndBatch(session.OpenStream());
        session.Commit();
        _committed = new(session.Head);
        _thread = new Thread(Run) { Name = "CredBroker store writer", IsBackground = true };
        _thread.Start();
    }

    /// <summary>
    /// Raised, on the writer's thread, when an order, a hold, a policy version or a person's word on a question is first seen
    /// here that another broker has committed.
    /// </summary>
    public event Action? News;

    /// <summary>Fence, policy version and audit head of the newest commit.</summary>
    public StoreHead Head => _committed.Head;

    /// <summary>Why the last batch was not committed; null where it was.</summary>
    public string? Fault => _fault;

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

        Close();
    }

    private void Close()
    {
        try
        {
            _session.Begin([], mayAssume: false);
            var before = _session.Head.Audit.Sequence;
            _session.CloseStream();
            _session.EndBatch(before);
            _session.Commit();
        }
        catch (Exception failure)
        {
            // Whatever it is, the process ends: the transaction does with the connection.
            LogCloseFailed(_logger, failure);
        }
    }

    private void Commit(List<PendingCommit> batch)
    {
        if (batch.Count == 0 || TryCommit(batch) is not { } failure)
        {
            return;
        }

        LogBatchFailed(_logger, failure.Exception, batch.Count);
        if (
            failure is { IsOutcomeKnown: true, Exception.InnerException: { } cause }
            && batch.Exists(change => change.EndsSecrets)
            && _session.MakeRoom(cause)
        )
        {
            // The room is for those alone: what was beside them fails as on any full disk.
            batch.FindAll(change => !change.EndsSecrets).ForEach(change => change.SetException(failure.Exception));
            batch.RemoveAll(change => !change.EndsSecrets);
            if (TryCommit(batch) is not { } again)
            {
                return;
            }

            failure = again;
        }

        var inARow = 0;
        foreach (var change in batch)
        {
            if (failure is null or { IsOutcomeKnown: true, IsOfAll: false } && inARow < MaxFailuresInARow)
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
    private Failure? TryCommit(List<PendingCommit> changes, bool mayAssume = true)
    {
        var results = new Result[changes.Count];
        var (hasBegun, isCommitting) = (false, false);
        try
        {
            _session.Begin(changes, mayAssume);
            hasBegun = true;
            var before = _session.Head;
            var isNews = before with { Audit = _committed.Head.Audit } != _committed.Head;
            Publish(before);
            if (isNews)
            {
                News?.Invoke();
            }

            for (var i = 0; i < results.Length; i++)
            {
                results[i] = ApplyAlone(changes[i]);
            }

            if (Array.Exists(results, result => result.Outcome is CommitOutcome.Committed))
            {
                _session.EndBatch(before.Audit.Sequence);
            }

            isCommitting = true;
            _session.Commit();
        }
        catch (WrongAssumptionException) when (mayAssume)
        {
            Undo();
            return TryCommit(changes, mayAssume: false);
        }
        catch (Exception e)
        {
            // Whatever it is: callers are waiting for their answer, and the thread must live on.
            var wasCommitted = isCommitting ? ReadBack() : false;
            if (wasCommitted != true)
            {
                var failure = GiveUp(e, isOutcomeKnown: wasCommitted == false, isOfAll: !hasBegun);
                _fault = failure.Exception.Message;
                return failure;
            }
        }

        _fault = null;
        Publish(_session.Head);
        for (var i = 0; i < results.Length; i++)
        {
            results[i].Answer(changes[i]);
        }

        Telemetry.CommittedTogether(changes.Count);

        return null;
    }

    /// <summary>One change, of however many transitions, in its own savepoint.</summary>
    private Result ApplyAlone(PendingCommit commit)
    {
        var before = _session.Head;
        _session.Savepoint();
        Result result;
        Exception? refused = null;
        try
        {
            result = new(Apply(commit));
        }
        catch (Exception e) when (_session.InTransaction && _session.IsOwnFault(e))
        {
            refused = e;
            result = new(
                null,
                new StoreUnavailableException("The store refused this change. Nothing of it was committed.", e)
            );
        }

        if (result.Outcome is not CommitOutcome.Committed)
        {
            _session.RollbackToSavepoint();
            _session.Head = before;
        }

        // Only now its batch goes on without it: a session that assumed its success begins the batch anew instead.
        if (refused is not null)
        {
            LogChangeRefused(_logger, refused, commit.Names);
        }

        _session.ReleaseSavepoint();
        return result;
    }

    private CommitOutcome Apply(PendingCommit commit)
    {
        commit.Restart();
        var (position, number, isToldByAnother) = (default(AuditPosition), 0L, false);
        var place = 0;
        foreach (ref readonly var change in commit.Changes)
        {
            _session.ToldBeside.Clear();
            var applied = _session.Apply(change);
            _session.ToldBeside.ForEach(commit.Record);
            if (applied.Failure is { } guard)
            {
                return new CommitOutcome.GuardFailed(guard, applied.Breach, place);
            }

            place++;
            number = applied.Number == 0 ? number : applied.Number;
            isToldByAnother |= change.EventBody is null && change.IsToldNow;
            if (applied.IsRecorded && change.EventBody is { } body)
            {
                position = _session.Append(body);
                commit.Record(change.Change.Event!);
            }
        }

        // Thrown within the change's savepoint, which takes back what it did.
        return isToldByAnother && position is null
            ? throw new InvalidOperationException("No event is recorded that tells the change.")
            : new CommitOutcome.Committed(_session.Now, position, number);
    }

    /// <summary>
    /// COMMIT itself reported an error: only the database knows what became of it. Null when it does not answer either.
    /// </summary>
    private bool? ReadBack()
    {
        try
        {
            return _session.ReadBack();
        }
        catch (Exception e) when (e is DbException or StoreUnavailableException)
        {
            LogReadBackFailed(_logger, e);
            return null;
        }
    }

    private void Publish(StoreHead head)
    {
        if (_committed.Head != head)
        {
            _committed = new(head);
        }
    }

    private Failure GiveUp(Exception cause, bool isOutcomeKnown, bool isOfAll)
    {
        Undo();
        var outcome = isOutcomeKnown
            ? "Nothing was committed."
            : "The outcome is unknown: what was being committed may be there.";
        return new(new($"The store does not accept: {cause.Message} {outcome}", cause), isOutcomeKnown, isOfAll);
    }

    private void Undo()
    {
        try
        {
            if (_session.InTransaction)
            {
                _session.Rollback();
            }
        }
        catch (DbException e)
        {
            LogRollbackFailed(_logger, e);
        }
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

    /// <param name="Exception">What its callers are told.</param>
    /// <param name="IsOutcomeKnown">Whether surely nothing was committed.</param>
    /// <param name="IsOfAll">Whether no transaction could be begun: one by one would fail as well, each after its wait.</param>
    private sealed record Failure(StoreUnavailableException Exception, bool IsOutcomeKnown, bool IsOfAll);

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
