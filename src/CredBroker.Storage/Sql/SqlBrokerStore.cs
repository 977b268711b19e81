using System.Diagnostics;
using System.Runtime.CompilerServices;
using CredBroker.Core.Audit;
using CredBroker.Core.Diagnostics;
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

namespace CredBroker.Storage.Sql;

/// <summary>
/// A store on a database that speaks SQL: one writer takes whatever waits, and readers beside it see only what is
/// committed.
/// </summary>
public abstract partial class SqlBrokerStore : IBrokerStore, IAuditLog, IDisposable
{
    private readonly StoreClock _clock;
    private readonly CommitQueue _queue;
    private readonly CommitWriter _writer;
    private readonly SqlAuditReader _audit;
    private readonly ILogger _logger;
    private string? _said;

    /// <summary>Opens this process's audit stream. The session is disposed if that fails.</summary>
    private protected SqlBrokerStore(
        SqlSession session,
        SqlReads reads,
        StoreClock clock,
        StorageOptions options,
        ILogger logger
    )
    {
        (_clock, _logger) = (clock, logger);
        _queue = new(options.MaxWaiting);
        _audit = new(reads);
        Leases = new SqlLeaseReader(reads, clock, logger);
        Revocations = new SqlRevocationReader(reads, logger);
        Holds = new SqlHoldReader(reads, clock);
        Limits = new SqlLimitReader(reads, clock);
        Policies = new SqlPolicyReader(reads);
        VaultCluster = new SqlVaultClusterReader(reads);
        Epoch = new SqlEpochReader(reads, _audit, () => Opening);
        Approvals = new SqlApprovalReader(reads, clock);
        TimeBoxes = new SqlTimeBoxReader(reads, clock);
        Notifications = new SqlNotificationReader(reads, clock);
        Owners = new SqlOwnerReader(reads);
        Idempotency = new SqlIdempotencyReader(reads, clock);
        try
        {
            _writer = new(session, _queue, logger);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public event Action? News
    {
        add => _writer.News += value;
        remove => _writer.News -= value;
    }

    /// <inheritdoc/>
    public event Action<AuditEvent>? Recorded;

    /// <inheritdoc/>
    public StorePosition Position => _writer.Head.At(_clock);

    /// <inheritdoc/>
    public string? Fault => FileFault ?? _writer.Fault;

    /// <inheritdoc/>
    public ILeaseReader Leases { get; }

    /// <inheritdoc/>
    public IRevocationReader Revocations { get; }

    /// <inheritdoc/>
    public IHoldReader Holds { get; }

    /// <inheritdoc/>
    public ILimitReader Limits { get; }

    /// <inheritdoc/>
    public IPolicyReader Policies { get; }

    /// <inheritdoc/>
    public IVaultClusterReader VaultCluster { get; }

    /// <inheritdoc/>
    public IEpochReader Epoch { get; }

    /// <inheritdoc/>
    public IApprovalReader Approvals { get; }

    /// <inheritdoc/>
    public ITimeBoxReader TimeBoxes { get; }

    /// <inheritdoc/>
    public INotificationReader Notifications { get; }

    /// <inheritdoc/>
    public IOwnerReader Owners { get; }

    /// <inheritdoc/>
    public IIdempotencyReader Idempotency { get; }

    /// <inheritdoc/>
    public async ValueTask<CommitOutcome> CommitAsync(StateChange change, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var span = Telemetry.Start("credbroker.store.commit");
        span?.SetTag("credbroker.change", change.GetType().Name);
        var started = Stopwatch.GetTimestamp();
        var commit = new PendingCommit(change);
        _queue.Add(commit);
        using (cancellationToken.UnsafeRegister(static (state, token) => ((PendingCommit)state!).Cancel(token), commit))
        {
            var outcome = await commit.Task;
            Telemetry.Committed(started);
            if (outcome is CommitOutcome.Committed && Recorded is { } recorded)
            {
                Tell(recorded, commit.Recorded);
            }

            return outcome;
        }
    }

    /// <inheritdoc/>
    public virtual ValueTask<IReadOnlyList<StoreBroker>> ListBrokersAsync(CancellationToken cancellationToken) =>
        new(StoreBroker.Alone);

    /// <inheritdoc/>
    public async ValueTask WatchAsync(CancellationToken cancellationToken)
    {
        Restore();
        if (_writer.Fault is not null || MayGoUnseen)
        {
            try
            {
                await LookAsync(cancellationToken);
            }
            catch (StoreUnavailableException)
            {
                // Said below.
            }
        }

        var fault = Fault;
        if (fault is not null && _said is null)
        {
            LogFault(_logger, fault);
        }
        else if (fault is null && _said is not null)
        {
            LogWell(_logger);
        }

        _said = fault;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<AuditRecord> ReadAsync(
        DateTimeOffset from,
        DateTimeOffset to,
        AuditCursor? after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        // A batch that is under way may hold records of this range: it is waited for, and every later one gets a later
        // time.
        _clock.Now();
        await AwaitBatchesAsync(cancellationToken);
        await foreach (var record in _audit.ReadAsync(from, to, after, cancellationToken))
        {
            yield return record;
        }
    }

    /// <inheritdoc/>
    public ValueTask<AuditArchive?> ArchivedAsync(CancellationToken cancellationToken) =>
        _audit.ArchivedAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AuditPrefix?> PrefixAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        _audit.PrefixAsync(before, limit, cancellationToken);

    /// <summary>Commits what still waits, closes the audit stream, and lets go of the database.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        Close();
        GC.SuppressFinalize(this);
    }

    /// <summary>Completes when every batch that has begun, of any broker on the database, is over.</summary>
    private protected virtual Task AwaitBatchesAsync(CancellationToken cancellationToken) =>
        _queue.PassAsync().WaitAsync(cancellationToken);

    /// <summary>Commits a batch that changes nothing: it sees what others have committed.</summary>
    private protected async Task LookAsync(CancellationToken cancellationToken)
    {
        var probe = PendingCommit.Probe();
        _queue.Add(probe);
        await probe.Task.WaitAsync(cancellationToken);
    }

    /// <summary>What is committed is committed: whoever cannot be told of it changes nothing for whoever asked.</summary>
    private void Tell(Action<AuditEvent> recorded, IReadOnlyList<AuditEvent> events)
    {
        try
        {
            foreach (var told in events)
            {
                recorded(told);
            }
        }
        catch (Exception e)
        {
            LogNotTold(_logger, e);
        }
    }

    /// <summary>What is wrong with where the database is kept, though its last commit went well.</summary>
    private protected abstract string? FileFault { get; }

    /// <summary>Sets right what can be set right there.</summary>
    private protected abstract void Restore();

    /// <summary>Whether it can go away unseen while nothing is committed, and so is asked at each look.</summary>
    private protected virtual bool MayGoUnseen => false;

    /// <summary>How often it was opened: what is known of one that was opened again may be another's.</summary>
    private protected virtual long Opening => 1;

    /// <summary>Lets go of the database, after the writer has.</summary>
    private protected abstract void Close();

    [LoggerMessage(EventId = 5108, Level = LogLevel.Critical, Message = "Nothing is issued. {Fault}")]
    private static partial void LogFault(ILogger logger, string fault);

    [LoggerMessage(EventId = 5112, Level = LogLevel.Error, Message = "What was put on record could not be said")]
    private static partial void LogNotTold(ILogger logger, Exception failure);

    [LoggerMessage(EventId = 5109, Level = LogLevel.Information, Message = "The store takes changes again.")]
    private static partial void LogWell(ILogger logger);
}
