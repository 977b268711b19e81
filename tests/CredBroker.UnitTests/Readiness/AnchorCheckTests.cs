using CredBroker.Core.Issuing;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Readiness;

/// <summary>A store and its anchor, each of which may be put back.</summary>
public sealed class AnchorCheckTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("credbroker-anchor-");
    private readonly FakeAnchorPlace _place = new() { IsBarred = false };
    private readonly VaultCluster _cluster = new();
    private SqliteBrokerStore _store;
    private AnchorCheck _anchor;

    public AnchorCheckTests()
    {
        _store = OpenStore();
        _anchor = NewCheck(_store);
        _cluster.See("one");
        _cluster.Accept(new("one", null, new("", "")));
    }

    private string StoreFile => Path.Combine(_directory.FullName, "broker.db");

    public void Dispose()
    {
        Close();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task An_anchor_is_written_whenever_the_store_has_come_further_and_only_then()
    {
        Assert.Equal(RefusalCode.IssuingPaused, _anchor.Refusal?.Code);
        await CompareAsync();
        Assert.Null(_anchor.Refusal);
        Assert.Equal([_store.Position.AuditHead], _place.Anchor!.Heads);
        await CompareAsync();
        Assert.Equal((1, 1), (_place.Version, (await EpochAsync()).Anchored));

        await RecordAsync();
        await CompareAsync();

        Assert.Equal((1, 2, 2), (_place.Anchor.Epoch, _place.Anchor.Serial, (await EpochAsync()).Anchored));
        Assert.Equal([_store.Position.AuditHead], _place.Anchor.Heads);
        Assert.Null(_anchor.Finding!.NotKept);
    }

    [Fact]
    public async Task An_anchor_that_could_not_be_written_is_not_said_to_be_there()
    {
        _place.OnWriting = () =>
        {
            _place.Away = "gone";
            return Task.CompletedTask;
        };
        await CompareAsync();
        Assert.Null(_anchor.Refusal);
        Assert.Null(_anchor.Finding!.AnchorEpoch);

        _place.Away = null;
        await CompareAsync();
        Assert.Equal(1, _anchor.Finding!.AnchorEpoch);
    }

    [Fact]
    public async Task A_store_that_was_put_back_is_behind_its_anchor_and_stays_so()
    {
        await CompareAsync();
        var backup = Backup();
        await RecordAsync();
        await CompareAsync();
        var anchor = _place.Anchor!;

        Restore(backup);
        await CompareAsync();

        Assert.Equal(RefusalCode.StoreBehind, _anchor.Refusal?.Code);
        Assert.Equal([anchor.Heads[^1]], _anchor.Finding!.Missing);
        Assert.Equal(2, _anchor.Finding.NextEpoch);
        Assert.Null(_cluster.Refusal);
        await RecordAsync();
        await RecordAsync();
        await CompareAsync();
        Reopen();
        await CompareAsync();
        Assert.Equal(RefusalCode.StoreBehind, _anchor.Refusal?.Code);
        Assert.Equal(anchor, _place.Anchor);
    }

    [Fact]
    public async Task An_empty_store_is_behind_its_anchor()
    {
        await CompareAsync();
        Close();
        File.Delete(StoreFile);
        _store = OpenStore();
        _anchor = NewCheck(_store);

        await CompareAsync();

        Assert.Equal(RefusalCode.StoreBehind, _anchor.Refusal?.Code);
    }

    [Fact]
    public async Task A_store_that_is_behind_goes_on_in_a_new_epoch_once_it_is_accepted()
    {
        await CompareAsync();
        Assert.False(await AcceptAsync(2));
        var backup = Backup();
        await RecordAsync();
        await CompareAsync();
        Restore(backup);
        await CompareAsync();
        Assert.False(await AcceptAsync(1));
        Assert.False(await AcceptAsync(3));

        Assert.True(await AcceptAsync(2));

        Assert.Null(_anchor.Refusal);
        Assert.Equal((2, 3, 3), (_place.Anchor!.Epoch, _place.Anchor.Serial, (await EpochAsync()).Anchored));
        Reopen();
        await CompareAsync();
        Assert.Null(_anchor.Refusal);

        // The same backup once more is of an epoch that is over.
        Restore(backup);
        await CompareAsync();
        Assert.Equal((RefusalCode.StoreBehind, 3), (_anchor.Refusal!.Code, _anchor.Finding!.NextEpoch));
    }

    [Fact]
    public async Task An_acceptance_that_was_cut_short_before_the_anchor_was_written_is_carried_on_with()
    {
        await CompareAsync();
        var backup = Backup();
        await RecordAsync();
        await CompareAsync();
        Restore(backup);
        await CompareAsync();
        _place.OnWriting = () =>
        {
            _place.Away = "gone";
            return Task.CompletedTask;
        };
        await AcceptAsync(2);
        Assert.Equal((1, 2), (_place.Anchor!.Epoch, (await EpochAsync()).Number));

        Reopen();
        _place.Away = null;
        await CompareAsync();

        Assert.Null(_anchor.Refusal);
        Assert.Equal((2, 3), (_place.Anchor!.Epoch, (await EpochAsync()).Anchored));
    }

    [Fact]
    public async Task An_anchor_of_which_the_store_has_not_heard_is_no_older_Vault()
    {
        var losing = new LosingStore<StateChange.AnchorWritten>(_store) { Lost = true };
        using var cut = NewCheck(losing);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => cut.CompareAsync(CancellationToken.None).AsTask());
        Assert.Equal((1, 0), (_place.Version, (await EpochAsync()).Anchored));

        Reopen();
        await CompareAsync();

        Assert.Null(_anchor.Refusal);
        Assert.Equal((2, 2), (_place.Anchor!.Serial, (await EpochAsync()).Anchored));
    }

    [Fact]
    public async Task Of_two_that_write_one_is_second_and_nobody_is_behind()
    {
        using var other = NewCheck(_store);
        _place.OnWriting = async () =>
        {
            await RecordAsync();
            await other.CompareAsync(CancellationToken.None);
            await RecordAsync();
        };

        await CompareAsync();

        Assert.Equal((2, 2), (_place.Anchor!.Serial, (await EpochAsync()).Anchored));
        Assert.Equal([_store.Position.AuditHead], _place.Anchor.Heads);
        Assert.Null(_anchor.Refusal);
        Assert.Null(_cluster.Refusal);
    }

    [Theory]
    [InlineData("older")]
    [InlineData("gone")]
    [InlineData("barred")]
    public async Task A_Vault_that_was_put_back_proves_nothing_until_it_is_accepted(string how)
    {
        await _store.CommitAsync(
            new StateChange.VaultClusterAccepted
            {
                Cluster = "one",
                Home = new("", ""),
                Expected = null,
                ExpectedHome = null,
                Event = StoreSamples.Event(),
            },
            CancellationToken.None
        );
        await CompareAsync();
        var older = _place.Anchor!;
        await RecordAsync();
        await CompareAsync();
        (_place.Anchor, _place.IsBarred) = (how == "older" ? older : null, how == "barred");

        await CompareAsync();

        Assert.Equal(RefusalCode.VaultBehind, _cluster.Refusal?.Code);
        Assert.Contains("Vault has gone back", _cluster.See("one"), StringComparison.Ordinal);
        Assert.Null(_anchor.Refusal);
        Assert.Equal(how == "older" ? older : null, _place.Anchor);
        _place.IsBarred = false;
        Reopen();
        await _anchor.StartAsync(CancellationToken.None);
        Assert.NotNull(_cluster.See("one"));
        await CompareAsync();
        Assert.Equal(RefusalCode.VaultBehind, _cluster.Refusal?.Code);

        var memory = new ClusterMemory(_store, _cluster);
        Assert.True(
            await memory.AcceptAsync(
                "one",
                "the snapshot of noon",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            )
        );
        await CompareAsync();

        Assert.Null(_cluster.Refusal);
        Assert.Null(_cluster.See("one"));
        Assert.NotNull(_cluster.Accepted!.ChangedAt);
        Assert.Equal(_place.Anchor!.Serial, (await EpochAsync()).Anchored);
    }

    [Fact]
    public async Task Until_the_anchor_is_read_at_the_start_Vault_proves_nothing()
    {
        await _anchor.StartAsync(CancellationToken.None);
        Assert.Null(_cluster.See("one"));
        await CompareAsync();
        Reopen();
        _place.Away = "sealed";
        await _anchor.StartAsync(CancellationToken.None);
        await CompareAsync();
        Assert.NotNull(_cluster.See("one"));
        Assert.Null(_cluster.Refusal);
        Assert.Equal(RefusalCode.IssuingPaused, _anchor.Refusal?.Code);

        _place.Away = null;
        await CompareAsync();

        Assert.Null(_cluster.See("one"));
        Assert.Null(_anchor.Refusal);
    }

    [Fact]
    public async Task An_installation_without_rights_to_an_anchor_goes_on_and_says_so()
    {
        _place.IsBarred = true;
        await CompareAsync();
        Assert.Null(_anchor.Refusal);
        Assert.Contains("run credbroker vault setup", _anchor.Finding!.NotKept, StringComparison.Ordinal);

        _place.IsBarred = false;
        await CompareAsync();

        Assert.Null(_anchor.Finding.NotKept);
        Assert.Equal(1, _place.Anchor!.Serial);
    }

    [Fact]
    public async Task What_was_found_stays_while_Vault_is_away_and_counts_for_no_other_opening_of_the_store()
    {
        await CompareAsync();
        _place.Away = "no answer";
        await RecordAsync();
        await CompareAsync();
        Assert.Null(_anchor.Refusal);

        Reopen();
        await CompareAsync();

        Assert.Equal(RefusalCode.IssuingPaused, _anchor.Refusal?.Code);
    }

    private async Task RecordAsync() =>
        await _store.CommitAsync(
            new StateChange.EventRecorded { Event = StoreSamples.Event() },
            CancellationToken.None
        );

    private ValueTask<StoreEpoch> EpochAsync() => _store.Epoch.ReadAsync(CancellationToken.None);

    private ValueTask CompareAsync() => _anchor.CompareAsync(CancellationToken.None);

    private ValueTask<bool> AcceptAsync(long epoch) =>
        _anchor.AcceptAsync(
            epoch,
            "the backup of noon",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private SqliteBrokerStore OpenStore() =>
        SqliteBrokerStore.Open(
            new StorageOptions { SqliteFile = StoreFile },
            TimeProvider.System,
            NullLogger<SqliteBrokerStore>.Instance
        );

    private AnchorCheck NewCheck(IBrokerStore store) => new(store, _place, _cluster, NullLogger<AnchorCheck>.Instance);

    private void Close()
    {
        _anchor.Dispose();
        _store.Dispose();
    }

    private void Reopen()
    {
        Close();
        _store = OpenStore();
        _anchor = NewCheck(_store);
    }

    /// <summary>What the file holds now, as a backup in good order takes it.</summary>
    private string Backup()
    {
        var backup = StoreFile + ".backup";
        Close();
        File.Copy(StoreFile, backup);
        _store = OpenStore();
        _anchor = NewCheck(_store);
        return backup;
    }

    private void Restore(string backup)
    {
        Close();
        File.Delete(StoreFile + "-wal");
        File.Delete(StoreFile + "-shm");
        File.Copy(backup, StoreFile, overwrite: true);
        _store = OpenStore();
        _anchor = NewCheck(_store);
    }
}
