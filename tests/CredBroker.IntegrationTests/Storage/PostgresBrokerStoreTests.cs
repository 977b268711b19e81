using CredBroker.Core.State;
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

    [Theory]
    [InlineData("replace(encode(bytes, 'escape'), 'triage', '\\377riage')::bytea")]
    [InlineData(
        "convert_to(replace(convert_from(bytes, 'UTF8'), '\"decision\":\"', '\"decision\":\"\\u0000'), 'UTF8')"
    )]
    public async Task A_damaged_record_keeps_no_other_from_being_cut_off_and_no_late_secret_from_its_lease(
        string damage
    )
    {
        var (damaged, well) = (await RevokingLeaseAsync(), await ActiveLeaseAsync());
        await CommitAsync(StoreSamples.Revoked(damaged.Id));
        var end = Store.Position.AuditHead;
        Time.Advance(TimeSpan.FromDays(1));
        await CommitAsync(StoreSamples.Archived(end, Now));
        await _schema!.ExecuteAsync(
            $"""
            ALTER TABLE {_schema.Name}.audit_record DISABLE TRIGGER USER;
            UPDATE {_schema.Name}.audit_record r SET bytes = {damage} FROM {_schema.Name}.lease l
              WHERE (r.stream, r.sequence) = (l.told_stream, l.told_sequence) AND l.id = '{damaged.Id}';
            ALTER TABLE {_schema.Name}.audit_record ENABLE TRIGGER USER;
            """
        );

        var late = Samples.NewId();
        await CommitAsync(StoreSamples.Late(late, damaged.Id));
        await CommitAsync(StoreSamples.Deleted(end, limit: 100));

        Assert.Equal(well.Decision.Id, (await FindAsync(well.Id)).Decision.Id);
        Assert.Equal(
            [late, damaged.Id],
            (await Store.Leases.ListAsync(new(), default)).Unreadable.Select(lease => lease.Id)
        );
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
