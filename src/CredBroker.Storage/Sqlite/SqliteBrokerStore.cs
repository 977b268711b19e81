using CredBroker.Core.Audit;
using CredBroker.Core.State;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The embedded store: one SQLite file, one broker process, one writer. Reads run beside the writer on connections of
/// their own and see only what is committed.
/// </summary>
public sealed class SqliteBrokerStore : IBrokerStore, IAuditLog, IDisposable
{
    private readonly SqliteFile _file;
    private readonly StoreClock _clock;
    private readonly CommitQueue _queue;
    private readonly CommitWriter _writer;

    private SqliteBrokerStore(
        SqliteFile file,
        StorageOptions options,
        TimeProvider time,
        ILogger<SqliteBrokerStore> logger
    )
    {
        _file = file;
        _clock = new(time);
        _queue = new(options.MaxWaiting);
        (Leases, Revocations) = (new SqlLeaseReader(file, _clock, logger), new SqlRevocationReader(file));
        (Policies, Idempotency) = (new SqlPolicyReader(file), new SqlIdempotencyReader(file, _clock));
        var session = new WriteSession(file.OpenWriter());
        try
        {
            _writer = new(session, _clock, _queue, logger);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public StorePosition Position
    {
        get
        {
            var head = _writer.Head;
            return new(_clock.Now(), head.Fence, head.PolicyVersion, head.Audit);
        }
    }

    /// <inheritdoc/>
    public ILeaseReader Leases { get; }

    /// <inheritdoc/>
    public IRevocationReader Revocations { get; }

    /// <inheritdoc/>
    public IPolicyReader Policies { get; }

    /// <inheritdoc/>
    public IIdempotencyReader Idempotency { get; }

    /// <summary>Locks and migrates the file and opens this process's audit stream.</summary>
    /// <exception cref="StoreUnavailableException">
    /// The file cannot be used, or another broker uses it; the message says what to do.
    /// </exception>
    public static SqliteBrokerStore Open(StorageOptions options, TimeProvider time, ILogger<SqliteBrokerStore> logger)
    {
        var file = SqliteFile.Open(options.SqliteFile);
        try
        {
            return new(file, options, time, logger);
        }
        catch (SqliteException e)
        {
            file.Dispose();
            throw new StoreUnavailableException($"The store cannot write to {file.Path}: {e.Message}", e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var commit = new PendingCommit(change);
        _queue.Add(commit);
        using (cancellationToken.UnsafeRegister(static (state, token) => ((PendingCommit)state!).Cancel(token), commit))
        {
            return await commit.Task;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // A batch that is under way may hold records of this range: it is waited for, and every later one gets a later
        // time.
        _clock.Now();
        await _queue.PassAsync().WaitAsync(cancellationToken);
        await foreach (var record in SqlAuditStore.ReadAsync(_file, from, to, after, cancellationToken))
        {
            yield return record;
        }
    }

    /// <summary>Commits what still waits, closes the audit stream, and lets go of the file.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
    }
}
