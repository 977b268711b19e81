using CredBroker.Core.State;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Storage;
using FsCheck.Xunit;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Storage;

/// <summary>Text is refused at the edge if it must be; here it must not be able to do harm.</summary>
public sealed class StoreTextProperties : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("credbroker-store-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly StoreSamples _samples;
    private readonly SqliteBrokerStore _store;

    public StoreTextProperties()
    {
        _samples = new(_time);
        _store = SqliteBrokerStore.Open(
            new() { SqliteFile = Path.Combine(_directory, "broker.db") },
            _time,
            NullLogger<SqliteBrokerStore>.Instance
        );
    }

    [Property(MaxTest = 100)]
    public void A_lease_with_any_texts_is_found_again(string? instance, string? task, string? credential)
    {
        var lease = _samples.Lease(_samples.Decision(instance ?? "", task ?? "", credential: credential ?? ""));
        Assert.IsType<CommitOutcome.Committed>(_store.CommitAsync(_samples.Opened(lease), default).AsTask().Result);
        Assert.Equal(lease.Id, _store.FindLeaseAsync(lease.Id, default).AsTask().Result?.Id);
    }

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
