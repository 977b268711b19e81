using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>The contract on PostgreSQL.</summary>
public sealed class PostgresBrokerStoreTests(SharedPostgres postgres)
    : BrokerStoreContract,
        IClassFixture<SharedPostgres>,
        IAsyncLifetime
{
    private PostgresSchema? _schema;

    /// <summary>Opens it before callers come in hundreds: each would block a thread until it is.</summary>
    public async ValueTask InitializeAsync()
    {
        _schema = await PostgresSchema.MakeAsync(await postgres.GetAsync());
        _ = Store;
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    protected override OpenStore Open(TimeProvider time)
    {
        var store = PostgresBrokerStore.Open(
            _schema!.Options,
            time,
            NullLogger<PostgresBrokerStore>.Instance,
            isAlone: true,
            byDatabase: false
        );
        return new(store, store, store);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _schema?.Dispose();
    }
}
