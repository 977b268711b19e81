using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Server.Floods;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// A database that swallows everything, behind a real broker, OpenBao and PostgreSQL, while an admin orders the
/// revocation of what was issued for another one.
/// </summary>
[Collection(FloodsAlone.Name)]
public sealed class BlackHoleTests
{
    private const int Hanging = 300;
    private const int Orders = 3;

    [Fact]
    public async Task Makings_that_hang_at_one_database_keep_no_order_for_another_waiting()
    {
        StallingProxy? proxy = null;
        await using var world = await World.StartAsync(
            sealable: true,
            credentials: world => Entry(world, (proxy = new(world.Postgres.Port)).Port)
        );
        await using var stalling = proxy!;
        await world.ExchangeAsync(world.Agent(), credential: "swallowed", task: "t-0");
        var issued = new List<(string Task, DatabaseSecret Secret)>();
        for (var i = 1; i <= Orders * 2; i++)
        {
            var task = $"order-{i % Orders}";
            issued.Add((task, (await world.IssueAsync(world.Agent(), task: task)).Secret));
        }

        stalling.Stall();
        var hanging = Enumerable.Range(0, Hanging).Select(i => HangAsync(world, i)).ToList();
        await Eventually.BecomesTrueAsync(
            async () => await InFlightAsync(world.Vault) >= 4,
            "calls wait for the database inside OpenBao"
        );

        var admin = world.Person("admin");
        var took = new List<(TimeSpan Accepted, TimeSpan Done)>();
        for (var i = 0; i < Orders; i++)
        {
            var started = TimeProvider.System.GetTimestamp();
            var order = await admin.RevokeAsync(new() { Task = $"order-{i}", Reason = "incident" });
            var accepted = TimeProvider.System.GetElapsedTime(started);
            await foreach (var progress in admin.FollowRevocationAsync(order.RevocationId, CancellationToken.None))
            {
                // Before its leases are found it reaches none, and is not complete.
                if (progress.Complete)
                {
                    Assert.Equal(2, progress.Leases.Count);
                }
            }

            took.Add((accepted, TimeProvider.System.GetElapsedTime(started)));
        }

        // A machine that does something else may be late with one of them.
        Assert.True(took.Min(order => order.Accepted) <= TimeSpan.FromSeconds(1), string.Join(", ", took));
        Assert.True(took.Min(order => order.Done) <= TimeSpan.FromSeconds(2), string.Join(", ", took));
        Assert.True(took.Max(order => order.Accepted) <= TimeSpan.FromSeconds(5), string.Join(", ", took));
        Assert.True(took.Max(order => order.Done) <= TimeSpan.FromSeconds(10), string.Join(", ", took));
        foreach (var (_, secret) in issued)
        {
            Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        }

        // And the healthy one goes on being asked.
        await world.IssueAsync(world.Agent(), task: "t-after");

        stalling.Flow();
        var refused = await Task.WhenAll(hanging);
        Assert.All(refused, code => Assert.Matches("^(CB40|issued)", code));
    }

    /// <summary>What became of one exchange for what is swallowed.</summary>
    private static async Task<string> HangAsync(World world, int number)
    {
        try
        {
            await world.ExchangeAsync(world.Agent(), credential: "swallowed", task: $"hanging-{number}");
            return "issued";
        }
        catch (BrokerProblemException refused)
        {
            return refused.Code ?? "";
        }
    }

    private static async Task<int> InFlightAsync(TestBao bao) =>
        (await bao.SendAsync(HttpMethod.Get, "sys/in-flight-req")).EnumerateObject().Count();

    /// <summary>A credential of the same database, behind whatever listens at the port.</summary>
    internal static string Entry(World world, int port) =>
        $$"""
              swallowed:
                vault:
                  engine: database
                  mount: database
                  role: cb-e2e-swallowed
                  setup:
                    connection: swallowed
                    adminCredentialFile: {{Path.Combine(world.Folder, "billing-admin")}}
                    grants:
                      - GRANT USAGE ON SCHEMA billing TO "{{"{{name}}"}}"
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 15m
                connection: { host: 127.0.0.1, port: {{port}}, database: {{TestPostgres.Database}}, sslmode: disable }
            """;
}
