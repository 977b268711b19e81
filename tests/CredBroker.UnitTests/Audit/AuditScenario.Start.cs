using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Retention;
using CredBroker.Core.State;
using CredBroker.Storage;
using CredBroker.Storage.Sqlite;
using CredBroker.Testing.Broker;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Audit;

/// <content>What a start finds and says.</content>
internal sealed partial class AuditScenario
{
    /// <summary>Processes that start and stop on one store, and its clock repaired.</summary>
    private async Task StartTwiceAsync()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var folder = Directory.CreateTempSubdirectory("credbroker-");
        try
        {
            Open().Dispose();
            using var store = Open();
            await new ClockRepair(store, time).RepairAsync(
                "it <is> right",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            );
            await MeetAnotherVaultAsync(store);
            await ReadAsync(store);
            time.Advance(TimeSpan.FromDays(30));
            var retention = new AuditRetention(
                store,
                store,
                new() { KeepFor = TimeSpan.FromDays(7), ArchiveTo = folder.FullName },
                NullLogger<AuditRetention>.Instance
            );
            await retention.RunAsync(CancellationToken.None);
            await GoBackAsync(store);
            // Told where several brokers share a store, which is on PostgreSQL alone.
            await TellAsync(store, new BrokerJoined { Broker = Guid.NewGuid().ToString("N") });
            await TellAsync(store, new BrokerLeft { Broker = Guid.NewGuid().ToString("N") });
            await TellAsync(
                store,
                new DirectoryDoubted
                {
                    Issuer = "https://people.example",
                    Answered = 4,
                    Gone = 3,
                }
            );
            await TellAsync(
                store,
                new NotificationEndpointGone { Endpoint = "desk", NotificationId = $"msg_{Guid.NewGuid():N}" }
            );
            await ReadAsync(store);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static async Task TellAsync(SqliteBrokerStore store, AuditFact what) =>
            await store.CommitAsync(
                new StateChange.EventRecorded
                {
                    Event = new() { What = what, Actor = AuditActor.Broker("store") },
                },
                CancellationToken.None
            );

        static async Task MeetAnotherVaultAsync(SqliteBrokerStore store)
        {
            var cluster = new VaultCluster { Home = new("prod", "team") };
            var memory = new ClusterMemory(store, cluster);
            cluster.See("afe3e87c-58ee-5b39-6043-02dd044e32a6");
            await memory.RememberAsync(CancellationToken.None);
            cluster.See("3bea2b7d-cf0b-4fde-8fe5-d4c80eec853d");
            Assert.True(
                await memory.AcceptAsync(
                    "3bea2b7d-cf0b-4fde-8fe5-d4c80eec853d",
                    "moved",
                    BrokerHarness.Admin,
                    BrokerHarness.Call,
                    CancellationToken.None
                )
            );
        }

        static async Task GoBackAsync(SqliteBrokerStore store)
        {
            var place = new FakeAnchorPlace
            {
                IsBarred = false,
                Anchor = new(1, 1, [new(new('f', 32), 17, new('a', 64))]),
            };
            using var anchor = new AnchorCheck(store, place, new(), NullLogger<AnchorCheck>.Instance);
            Assert.True(
                await anchor.AcceptAsync(
                    2,
                    "the backup of noon",
                    BrokerHarness.Admin,
                    BrokerHarness.Call,
                    CancellationToken.None
                )
            );
        }

        SqliteBrokerStore Open() =>
            SqliteBrokerStore.Open(
                new StorageOptions { SqliteFile = Path.Combine(folder.FullName, "broker.db") },
                time,
                NullLogger<SqliteBrokerStore>.Instance
            );
    }

    /// <summary>What a person does to the policy.</summary>
    private async Task GoBackAsync()
    {
        var outcome = await _broker.Policy.EditAsync(
            new PolicyEdit.Rollback
            {
                Version = 1,
                Reason = "nobody may work",
                Author = BrokerHarness.Admin,
                Onto = _broker.Policy.Current!.Set.Hash,
                TraceId = BrokerHarness.Call.TraceId,
            },
            CancellationToken.None
        );
        Assert.IsType<PolicyEditOutcome.InForce>(outcome);
    }
}
