using CredBroker.Core.Audit;
using CredBroker.Core.State;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Testing.Storage;

/// <summary>What every store must do, whatever database is behind it. One subclass per database.</summary>
public abstract partial class BrokerStoreContract : IDisposable
{
    private Lazy<OpenStore> _open;

    protected BrokerStoreContract() => (Samples, _open) = (new(Time), new(() => Open(Time)));

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

    internal StoreSamples Samples { get; }

    protected IBrokerStore Store => _open.Value.Store;

    protected IAuditLog Log => _open.Value.Log;

    protected DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>
    /// Opens the store on this test's own database; a second call after closing finds what the first wrote.
    /// </summary>
    protected abstract OpenStore Open(TimeProvider time);

    /// <summary>Closes in good order and opens again.</summary>
    protected void Reopen()
    {
        Close();
        _open = new(() => Open(Time));
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => Close();

    protected async Task<CommitOutcome.Committed> CommitAsync(StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await Store.CommitAsync(change, default));

    /// <summary>Asserts that the guard fails and that neither state nor log changed.</summary>
    protected async Task AssertGuardAsync(GuardFailure expected, StateChange change)
    {
        var before = Store.Position.AuditHead;
        var failed = Assert.IsType<CommitOutcome.GuardFailed>(await Store.CommitAsync(change, default));
        // Of several changes, whose guard it is, is asked by those who have to know.
        Assert.Equal(new CommitOutcome.GuardFailed(expected), failed with { Place = 0 });
        Assert.Equal(before, Store.Position.AuditHead);
    }

    protected async Task<Lease> FindAsync(string id) => Assert.IsType<Lease>(await Store.Leases.FindAsync(id, default));

    internal async Task<Lease> PendingLeaseAsync(DecisionRecord? decision = null)
    {
        var lease = Samples.Lease(decision);
        await CommitAsync(Samples.Opened(lease, Store.Position.Fence));
        return lease;
    }

    internal async Task<Lease> ActiveLeaseAsync(DecisionRecord? decision = null, TimeSpan? ttl = null)
    {
        var lease = await PendingLeaseAsync(decision);
        await CommitAsync(Samples.Activated(lease.Id, ttl));
        return await FindAsync(lease.Id);
    }

    internal async Task<Lease> RevokingLeaseAsync(DecisionRecord? decision = null, bool activated = true)
    {
        var lease = await (activated ? ActiveLeaseAsync(decision) : PendingLeaseAsync(decision));
        await CommitAsync(Samples.Claimed(lease.Id));
        return await FindAsync(lease.Id);
    }

    protected async Task<List<AuditRecord>> ReadLogAsync(
        DateTimeOffset? from = null,
        DateTimeOffset? to = null,
        AuditCursor? after = null
    )
    {
        var records = new List<AuditRecord>();
        await foreach (
            var record in Log.ReadAsync(from ?? DateTimeOffset.MinValue, to ?? DateTimeOffset.MaxValue, after, default)
        )
        {
            records.Add(record);
        }

        return records;
    }

    private void Close()
    {
        if (_open.IsValueCreated)
        {
            _open.Value.Close.Dispose();
        }
    }

    protected sealed record OpenStore(IBrokerStore Store, IAuditLog Log, IDisposable Close);
}
