using CredBroker.Core.Audit;
using CredBroker.Core.State;
using CredBroker.Storage.Commit;
using CredBroker.Storage.Sql.Approvals;
using CredBroker.Storage.Sql.Audit;
using CredBroker.Storage.Sql.Epochs;
using CredBroker.Storage.Sql.Holds;
using CredBroker.Storage.Sql.Idempotency;
using CredBroker.Storage.Sql.Leases;
using CredBroker.Storage.Sql.Limits;
using CredBroker.Storage.Sql.Notifications;
using CredBroker.Storage.Sql.Owners;
using CredBroker.Storage.Sql.Policies;
using CredBroker.Storage.Sql.Revocations;
using CredBroker.Storage.Sql.Vault;
using Microsoft.Extensions.Logging;

namespace CredBroker.Storage.Sqlite;

/// <summary>What a store whose file cannot be written last knew, from a copy. It takes no change, and says why.</summary>
internal sealed class CopiedStore : IBrokerStore, IAuditLog, IDisposable
{
    private readonly StoreCopy _copy;
    private readonly StoreClock _clock;
    private readonly StoreHead _head;
    private readonly SqlAuditReader _audit;
    private readonly string _fault;

    /// <param name="copy">The copy, which it disposes of.</param>
    /// <param name="time">The broker's clock.</param>
    /// <param name="fault">Why the file cannot be written.</param>
    /// <param name="logger">Where damaged rows are said.</param>
    public CopiedStore(StoreCopy copy, TimeProvider time, string fault, ILogger logger)
    {
        (_copy, _clock, _fault) = (copy, new(time), fault);
        var reads = new SqliteReads(copy.File);
        using (var session = new SqliteSession(copy.File, copy.File.OpenWriter(), _clock))
        {
            session.TakeOver();
            _head = session.ReadNewest();
        }

        _audit = new(reads);
        Leases = new SqlLeaseReader(reads, _clock, logger);
        Revocations = new SqlRevocationReader(reads, logger);
        Holds = new SqlHoldReader(reads, _clock);
        Limits = new SqlLimitReader(reads, _clock);
        Policies = new SqlPolicyReader(reads);
        VaultCluster = new SqlVaultClusterReader(reads);
        Epoch = new SqlEpochReader(reads, _audit, () => 0);
        Idempotency = new SqlIdempotencyReader(reads, _clock);
        Approvals = new SqlApprovalReader(reads, _clock);
        Notifications = new SqlNotificationReader(reads, _clock);
        TimeBoxes = new SqlTimeBoxReader(reads, _clock);
        Owners = new SqlOwnerReader(reads);
    }

    /// <summary>None: a file has one broker.</summary>
    public event Action? News
    {
        add { }
        remove { }
    }

    public StorePosition Position => _head.At(_clock);

    public string Fault => _fault;

    public ILeaseReader Leases { get; }

    public IRevocationReader Revocations { get; }

    public IHoldReader Holds { get; }

    public ILimitReader Limits { get; }

    public IPolicyReader Policies { get; }

    public IVaultClusterReader VaultCluster { get; }

    public IEpochReader Epoch { get; }

    public IIdempotencyReader Idempotency { get; }

    public IApprovalReader Approvals { get; }

    public ITimeBoxReader TimeBoxes { get; }

    public INotificationReader Notifications { get; }

    public IOwnerReader Owners { get; }

    public ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken) =>
        ValueTask.FromException<CommitOutcome>(new StoreUnavailableException($"{_fault} Nothing was committed."));

    public ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken) =>
        new(StoreBroker.Alone);

    public ValueTask WatchAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        CancellationToken cancellationToken
    ) => _audit.ReadAsync(from, to, after, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) =>
        _audit.ArchivedAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        _audit.PrefixAsync(before, limit, cancellationToken);

    public void Dispose() => _copy.Dispose();
}
