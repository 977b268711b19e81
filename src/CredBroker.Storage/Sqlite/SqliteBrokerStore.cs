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
    private readonly ILogger _logger;
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
        _logger = logger;
        _file = file;
        _clock = new(time);
        _queue = new(options.MaxWaiting);
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
    public ValueTask<Lease?> FindLeaseAsync(string leaseId, CancellationToken cancellationToken) =>
        Read(connection => SqlLeaseQueries.Find(connection, leaseId), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeasePage> ListLeasesAsync(LeaseQuery query, CancellationToken cancellationToken) =>
        Read(connection => SqlLeaseQueries.List(connection, query, _logger), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Lease>> FindWorkAsync(
        LeaseWork work,
        DateTimeOffset dueBefore,
        int limit,
        CancellationToken cancellationToken
    ) =>
        Read(
            connection => SqlLeaseQueries.FindWork(connection, work, dueBefore, limit, _clock.Now(), _logger),
            cancellationToken
        );

    /// <inheritdoc/>
    public ValueTask<IReadOnlySet<string>> FindKnownVaultLeasesAsync(
        IReadOnlyCollection<string> vaultLeaseIds,
        CancellationToken cancellationToken
    ) => Read(connection => SqlLeaseQueries.FindKnownVaultLeases(connection, vaultLeaseIds), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RevocationOrder?> FindRevocationAsync(string revocationId, CancellationToken cancellationToken) =>
        Read(connection => SqlOrderStore.Find(connection, revocationId), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<RevocationOrder>> FindOpenRevocationsAsync(CancellationToken cancellationToken) =>
        Read(SqlOrderStore.FindOpen, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IdempotencyRecord?> FindIdempotencyAsync(
        string callerKey,
        string idempotencyKey,
        CancellationToken cancellationToken
    ) =>
        Read(
            connection => SqlIdempotencyStore.Find(connection, callerKey, idempotencyKey, _clock.Now()),
            cancellationToken
        );

    /// <inheritdoc/>
    public ValueTask<AppliedPolicyRecord?> FindPolicyAsync(CancellationToken cancellationToken) =>
        Read(SqlPolicyStore.FindNewest, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<AuditPosition>> ReadHeadsAsync(CancellationToken cancellationToken) =>
        Read(SqlAuditStore.ReadHeads, cancellationToken);

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

    private ValueTask<T> Read<T>(Func<SqliteConnection, T> query, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(_file.Read(query));
    }
}
