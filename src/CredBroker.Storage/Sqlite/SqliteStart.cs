using CredBroker.Core.Audit;
using CredBroker.Core.State;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>
/// The store as a broker starts with it. Where its file cannot be written (a full disk, one that can only be read), the
/// broker starts all the same and only revokes: what the store last knew is read from a copy, no change is taken, and so
/// whoever ends secrets does so at Vault and puts it on record later. Once the file can be written it is the store, which
/// <see cref="WatchAsync"/> finds out.
/// </summary>
public sealed partial class SqliteStart : IBrokerStore, IAuditLog, IDisposable
{
    private readonly StorageOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SqliteBrokerStore> _logger;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CopiedStore? _copied;
    private volatile SqliteBrokerStore? _store;

    /// <summary>Opens the file, or a copy of what it holds where it cannot be written.</summary>
    /// <exception cref="StoreUnavailableException">
    /// There is nothing that it could be read from, or another broker uses it; the message says what to do.
    /// </exception>
    public SqliteStart(StorageOptions options, TimeProvider time, ILogger<SqliteBrokerStore> logger)
    {
        (_options, _time, _logger) = (options, time, logger);
        try
        {
            _store = Open();
        }
        catch (StoreUnavailableException failure) when (SqliteFile.IsUnwritable(failure, options.SqliteFile))
        {
            var fault =
                $"The broker only revokes: it started on a store that cannot be written. {failure.Message} "
                + "What was known is read from a copy; the file is taken up by itself once it can be written.";
            var copy = StoreCopy.Take(SqliteFile.Resolve(options.SqliteFile));
            try
            {
                _copied = new(copy, time, fault, logger);
            }
            catch
            {
                copy.Dispose();
                throw;
            }

            LogRevokesOnly(logger, fault);
        }
    }

    /// <summary>None: a file has one broker.</summary>
    public event Action? News
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public event Action<AuditEvent>? Recorded;

    /// <inheritdoc/>
    public StorePosition Position => Current.Position;

    /// <inheritdoc/>
    public string? Fault => Current.Fault;

    /// <inheritdoc/>
    public ILeaseReader Leases => Current.Leases;

    /// <inheritdoc/>
    public IRevocationReader Revocations => Current.Revocations;

    /// <inheritdoc/>
    public IHoldReader Holds => Current.Holds;

    /// <inheritdoc/>
    public ILimitReader Limits => Current.Limits;

    /// <inheritdoc/>
    public IPolicyReader Policies => Current.Policies;

    /// <inheritdoc/>
    public IVaultClusterReader VaultCluster => Current.VaultCluster;

    /// <inheritdoc/>
    public IEpochReader Epoch => Current.Epoch;

    /// <inheritdoc/>
    public IIdempotencyReader Idempotency => Current.Idempotency;

    /// <inheritdoc/>
    public IApprovalReader Approvals => Current.Approvals;

    /// <inheritdoc/>
    public INotificationReader Notifications => Current.Notifications;

    public IOwnerReader Owners => Current.Owners;

    /// <inheritdoc/>
    public ITimeBoxReader TimeBoxes => Current.TimeBoxes;

    private IBrokerStore Current => (IBrokerStore?)_store ?? _copied!;

    private IAuditLog Log => (IAuditLog)Current;

    /// <inheritdoc/>
    public ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken) =>
        Current.CommitAsync(change, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken) =>
        new(StoreBroker.Alone);

    /// <inheritdoc/>
    public async ValueTask WatchAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _store ??= TakeUp();
        }
        finally
        {
            _turn.Release();
        }

        await Current.WatchAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        CancellationToken cancellationToken
    ) => Log.ReadAsync(from, to, after, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) =>
        Log.ArchivedAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        Log.PrefixAsync(before, limit, cancellationToken);

    /// <summary>Lets go of the file, or of the copy.</summary>
    public void Dispose()
    {
        if (_store is { } store)
        {
            store.Dispose();
        }
        else
        {
            _copied?.Dispose();
        }

        _turn.Dispose();
    }

    private SqliteBrokerStore Open()
    {
        var store = SqliteBrokerStore.Open(_options, _time, _logger);
        store.Recorded += told => Recorded?.Invoke(told);
        return store;
    }

    /// <summary>The file, where it can be written now.</summary>
    private SqliteBrokerStore? TakeUp()
    {
        try
        {
            var store = Open();
            LogTakenUp(_logger);
            // Who reads it just now is waited for.
            _copied?.Dispose();
            return store;
        }
        catch (StoreUnavailableException)
        {
            // Said at the start; health and every refused change say it still.
            return null;
        }
    }

    [LoggerMessage(EventId = 5110, Level = LogLevel.Critical, Message = "{Fault}")]
    private static partial void LogRevokesOnly(ILogger logger, string fault);

    [LoggerMessage(
        EventId = 5111,
        Level = LogLevel.Information,
        Message = "The store's file can be written, and is the store again."
    )]
    private static partial void LogTakenUp(ILogger logger);
}
