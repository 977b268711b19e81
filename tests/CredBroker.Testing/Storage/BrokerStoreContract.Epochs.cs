using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task The_store_says_how_far_it_has_come_and_what_it_has()
    {
        var first = Store.Position.AuditHead;
        await CommitAsync(Recorded());
        var second = Store.Position.AuditHead;
        var epoch = await Store.Epoch.ReadAsync(default);
        Assert.Equal((1, 0), (epoch.Number, epoch.Anchored));
        Assert.Equal([second], epoch.Heads);
        Reopen();

        Assert.Equal(2, (await Store.Epoch.ReadAsync(default)).Heads.Count);
        Assert.Equal(Store.Position.AuditHead, (await Store.Epoch.ReadAsync(default)).Heads[^1]);
        Assert.True(await Store.Epoch.HasAsync(first, default));
        Assert.True(await Store.Epoch.HasAsync(second, default));
        Assert.False(await Store.Epoch.HasAsync(second with { Hash = first.Hash }, default));
        Assert.False(await Store.Epoch.HasAsync(second with { Sequence = 1_000 }, default));
        Assert.False(await Store.Epoch.HasAsync(new(new('f', 32), 1, first.Hash), default));
    }

    [Fact]
    public async Task What_was_archived_was_there()
    {
        await CommitAsync(Recorded());
        var old = Store.Position.AuditHead;
        Time.Advance(TimeSpan.FromDays(1));
        await CommitAsync(Recorded());
        await CommitAsync(StoreSamples.Archived(old, Now));
        await CommitAsync(new StateChange.All([StoreSamples.Deleted(old, limit: 100)]));

        Assert.DoesNotContain(await ReadLogAsync(), record => record.Sequence == old.Sequence);
        Assert.True(await Store.Epoch.HasAsync(old, default));
        Assert.True(await Store.Epoch.HasAsync(old with { Sequence = 1 }, default));
        Assert.False(await Store.Epoch.HasAsync(old with { Sequence = old.Sequence + 100 }, default));
    }

    [Fact]
    public async Task An_anchor_is_remembered_without_an_event_and_never_an_older_one()
    {
        var head = Store.Position.AuditHead;
        await CommitAsync(Anchored(2));
        Assert.Equal(2, (await Store.Epoch.ReadAsync(default)).Anchored);
        Assert.Equal(head, Store.Position.AuditHead);
        await AssertGuardAsync(GuardFailure.WrongState, Anchored(2));
        await AssertGuardAsync(GuardFailure.WrongState, Anchored(1));
        await AssertGuardAsync(GuardFailure.WrongState, Anchored(3, epoch: 2));

        // What another cluster of Vault holds of it is not known.
        await CommitAsync(Accepted("one", null));
        await CommitAsync(Anchored(1));
        await CommitAsync(Accepted("one", "one"));
        Assert.Equal(0, (await Store.Epoch.ReadAsync(default)).Anchored);

        // Nor does it count what was written to the one before by whoever had not heard of it.
        await AssertGuardAsync(GuardFailure.WrongState, Anchored(8));
        Assert.Equal(Now, Store.Position.VaultChangedAt);
        await CommitAsync(Anchored(1) with { VaultChangedAt = Store.Position.VaultChangedAt });
        Reopen();
        Assert.Equal(Now, Store.Position.VaultChangedAt);
    }

    [Fact]
    public async Task A_new_epoch_takes_back_what_is_pending_and_frees_every_key()
    {
        var key = new IdempotencyClaim("caller", "key", "hash", null);
        var (pending, other) = (Samples.Lease(), Samples.Lease());
        await CommitAsync(Samples.Opened(pending, Store.Position.Fence, idempotency: key));
        await CommitAsync(Samples.Opened(other, Store.Position.Fence));
        var active = await ActiveLeaseAsync();
        await CommitAsync(Anchored(7));
        await AssertGuardAsync(GuardFailure.WrongState, Epoch(2, expected: 3));
        await AssertGuardAsync(GuardFailure.WrongState, Epoch(1, expected: 1));
        Assert.NotNull(await Store.Idempotency.FindAsync("caller", "key", default));

        Time.Advance(TimeSpan.FromSeconds(1));
        await CommitAsync(Epoch(2, expected: 1));

        foreach (var lease in new[] { pending, other })
        {
            var now = await FindAsync(lease.Id);
            Assert.Equal((LeaseState.Revoking, RevocationCause.Recovery), (now.State, now.Cause));
            Assert.Equal(("person:idp#ada", Now), (now.RequestedBy, now.RevocationRequestedAt));
            await AssertGuardAsync(GuardFailure.WrongState, Samples.Activated(lease.Id));
        }

        Assert.Equal(LeaseState.Active, (await FindAsync(active.Id)).State);
        Assert.Null(await Store.Idempotency.FindAsync("caller", "key", default));
        var epoch = await Store.Epoch.ReadAsync(default);
        Assert.Equal((2, 0), (epoch.Number, epoch.Anchored));
        var told = (await ReadLogAsync()).Select(record => AuditRecordHeader.Read(record.Bytes.Span)!.Type).ToList();
        Assert.Equal([RevocationRequested.TypeName, RevocationRequested.TypeName, "test.event"], told[^3..]);
        await AssertGuardAsync(GuardFailure.WrongState, Epoch(3, expected: 1));
        await AssertGuardAsync(GuardFailure.WrongState, Anchored(8));
    }

    private static StateChange.EventRecorded Recorded() => new() { Event = StoreSamples.Event() };

    private static StateChange.AnchorWritten Anchored(long serial, long epoch = 1) =>
        new()
        {
            Epoch = epoch,
            Serial = serial,
            Event = null,
        };

    private static StateChange.EpochOpened Epoch(long epoch, long expected) =>
        new()
        {
            Epoch = epoch,
            Expected = expected,
            RequestedBy = "person:idp#ada",
            Event = StoreSamples.Event(),
        };
}
