using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// The process that <see cref="StoreKillTests"/> kills: opens and activates leases without end, and notes each answer
/// that it got, as a client would remember it.
/// </summary>
internal static class StoreWriter
{
    public const string Command = "store-writer";
    private const int Callers = 8;

    /// <summary>Never returns.</summary>
    public static async Task<int> RunAsync(string file, string acknowledged)
    {
        using var store = SqliteBrokerStore.Open(
            new() { SqliteFile = file },
            TimeProvider.System,
            NullLogger<SqliteBrokerStore>.Instance
        );
        await Task.WhenAll(
            Enumerable.Range(0, Callers).Select(caller => WriteAsync(store, $"{acknowledged}-{caller}"))
        );
        return 0;
    }

    private static async Task WriteAsync(SqliteBrokerStore store, string acknowledged)
    {
        var samples = new StoreSamples(new FakeTimeProvider(TimeProvider.System.GetUtcNow()));
        await using var answers = new StreamWriter(acknowledged) { AutoFlush = true };
        while (true)
        {
            var now = TimeProvider.System.GetUtcNow();
            var lease = samples.Lease(samples.Decision(task: samples.NewId())) with
            {
                Id = Guid.CreateVersion7(now).ToString("N"),
                IssuanceDeadline = now.AddDays(1),
            };
            await CommitAsync(
                "opened",
                lease.Id,
                samples.Opened(lease) with
                {
                    Event = EventOf(RequestAllowed.TypeName, lease),
                }
            );
            await CommitAsync(
                "activated",
                lease.Id,
                samples.Activated(lease.Id) with
                {
                    Event = EventOf(LeaseIssued.TypeName, lease),
                }
            );
        }

        async Task CommitAsync(string what, string leaseId, StateChange change) =>
            await answers.WriteAsync(
                $"{what} {leaseId} {((CommitOutcome.Committed)await store.CommitAsync(change, default)).Event}\n"
            );
    }

    private static AuditEvent EventOf(string type, Lease lease) =>
        StoreSamples.Event(type) with
        {
            LeaseId = lease.Id,
            DecisionId = lease.Decision.Id,
        };
}
