using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.UnitTests.Storage;

/// <summary>The contract on SQLite.</summary>
public sealed class SqliteBrokerStoreTests : BrokerStoreContract
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;

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
