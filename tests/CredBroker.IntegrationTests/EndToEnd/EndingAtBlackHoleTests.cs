using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Server.Floods;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// Leases that end at a database that swallows everything, behind a real broker, OpenBao and PostgreSQL, while those of
/// another one are to be revoked. At first the broker revokes them; half a minute later their tokens end, and OpenBao
/// revokes all of them at once by itself.
/// </summary>
[Collection(FloodsAlone.Name)]
public sealed class EndingAtBlackHoleTests
{
    /// <summary>As many as the operations page and <c>vault check</c> say that OpenBao bears.</summary>
    private const int Ending = 30;

    /// <summary>What the broker's child tokens live beyond their lease, and as much again.</summary>
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(65);

    /// <summary>OpenBao's own limit for a request is 90 s: three of these pass while it is watched.</summary>
    private const string VaultsLimit = "default_max_request_duration = \"20s\"";

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task They_keep_no_lease_of_another_database_from_being_revoked_however_long_it_hangs()
    {
        StallingProxy? proxy = null;
        await using var world = await World.StartAsync(
            sealable: true,
            credentials: world => BlackHoleTests.Entry(world, (proxy = new(world.Postgres.Port)).Port),
            vaultConfiguration: VaultsLimit
        );
        await using var stalling = proxy!;
        var issued = await Task.WhenAll(
            Enumerable
                .Range(0, Ending)
                .Select(i => world.ExchangeAsync(world.Agent(), "20s", $"ending-{i}", "swallowed"))
        );

        stalling.Stall();
        var (began, admin, took) = (TimeProvider.System.GetTimestamp(), world.Person("admin"), new List<TimeSpan>());
        while (TimeProvider.System.GetElapsedTime(began) is var at && at < Watched)
        {
            var task = $"well-{took.Count}";
            var (_, secret) = await world.IssueAsync(world.Agent(), task: task);
            var started = TimeProvider.System.GetTimestamp();
            var order = await admin.RevokeAsync(new() { Task = task, Reason = "incident" });
            using var patience = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
            await foreach (var _ in admin.FollowRevocationAsync(order.RevocationId, patience.Token))
            {
                // Until it is complete.
            }

            took.Add(TimeProvider.System.GetElapsedTime(started));
            Assert.True(took[^1] <= Bound, $"{took[^1]} after {at} of silence");
            Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        }

        // It hung all the while: nothing of it is called revoked.
        foreach (var lease in issued)
        {
            Assert.Contains(
                (await world.LeaseAsync(lease.LeaseId)).State,
                new[] { LeaseStates.Active, LeaseStates.Revoking, LeaseStates.Failed }
            );
        }
    }
}
