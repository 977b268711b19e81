using CredBroker.Core.State;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Storage;

/// <summary>The contract on SQLite.</summary>
public sealed class SqliteBrokerStoreTests : BrokerStoreContract
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;

    [Fact]
    public async Task A_start_ends_the_claims_of_the_process_before_it()
    {
        var (untouched, ordered) = (await ActiveLeaseAsync(), await ActiveLeaseAsync());
        await CommitAsync(Samples.Claimed(untouched.Id));
        await CommitAsync(Samples.Claimed(ordered.Id, cause: RevocationCause.TaskClosed));
        await CommitAsync(Samples.Claimed(ordered.Id, by: null, order: Samples.NewId()));
        var pending = await PendingLeaseAsync();
        Assert.Empty(await RevocationsAsync());

        Reopen();

        Assert.Equal(
            new[] { untouched.Id, ordered.Id }.Order(StringComparer.Ordinal),
            (await RevocationsAsync()).Order(StringComparer.Ordinal)
        );
        Assert.Null((await FindAsync(untouched.Id)).ClaimedBy);
        // The order's own attempt is the next one, and no other after it comes first.
        await CommitAsync(Samples.Claimed(ordered.Id, by: "worker-2"));
        await CommitAsync(Samples.Failed(ordered.Id));
        Assert.False((await FindAsync(ordered.Id)).IsUrgent);
        Assert.Equal(LeaseState.Pending, (await FindAsync(pending.Id)).State);
    }

    protected override OpenStore Open(TimeProvider time)
    {
        var store = SqliteBrokerStore.Open(
            new() { SqliteFile = Path.Combine(_directory, "broker.db") },
            time,
            NullLogger<SqliteBrokerStore>.Instance
        );
        return new(store, store, store);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        Directory.Delete(_directory, recursive: true);
    }
}
