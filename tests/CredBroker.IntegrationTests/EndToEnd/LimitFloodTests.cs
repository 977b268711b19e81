using System.Collections.Concurrent;
using CredBroker.Client;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// A thousand requests at once at two broker processes on one PostgreSQL store: what gets through is exactly what the
/// policy's limits leave, also when one of the brokers is killed in the midst of it.
/// </summary>
public sealed class LimitFloodTests
{
    private const int Flood = 1000;
    private const int Places = 15;
    private const string LimitReached = "CB2020";
    private const string Overloaded = "CB6013";
    private const string Credential = "api-key";

    private static readonly string[] NotOver =
    [
        LeaseStates.Pending,
        LeaseStates.Active,
        LeaseStates.Revoking,
        LeaseStates.Failed,
    ];

    [Fact]
    public async Task A_flood_at_two_brokers_stops_at_exactly_its_limit()
    {
        await using var world = await World.StartAsync(storeOnPostgres: true);
        await world.LimitAsync($"  - {{ id: fan-out, per: workload, maxActive: {Places} }}");
        await using var other = await world.StartAnotherAsync();

        var answers = await Task.WhenAll(FloodAsync(world, world.Broker, other));

        Assert.Equal(Places, answers.Count(answer => answer == Credential));
        Assert.Equal(Flood - Places, answers.Count(answer => answer == LimitReached));
        Assert.Equal(Places, (await world.LeasesAsync()).Count(lease => lease.State == LeaseStates.Active));
        Assert.Equal(Places, (await world.LeasesAsync()).Count);
    }

    [Fact]
    public async Task A_flood_of_one_instance_trips_its_wire_once_and_opens_exactly_as_many_as_it_may()
    {
        await using var world = await World.StartAsync(storeOnPostgres: true);
        await world.LimitAsync(
            $"  - {{ id: wire, per: instance, maxIssued: {{ count: {Places}, per: 1h }}, "
                + "onBreach: { quarantine: instance, for: 1h } }"
        );
        await using var other = await world.StartAnotherAsync();

        var answers = await Task.WhenAll(FloodAsync(world, [world.Broker, other], instances: 1));

        // What was opened and not delivered yet when the hold came is not delivered.
        Assert.InRange(answers.Count(answer => answer == Credential), 0, Places);
        Assert.All(
            answers.Where(answer => answer != Credential),
            answer => Assert.Contains(answer, new[] { LimitReached, "CB2017", "CB2015" })
        );
        Assert.Equal(Places, (await world.LeasesAsync()).Count);
        var hold = Assert.Single((await world.Person("admin").ListHoldsAsync()).Holds);
        Assert.Equal("broker:tripwire wire", hold.PlacedBy);
        await Eventually.BecomesTrueAsync(
            async () => (await world.LeasesAsync()).All(lease => !NotOver.Contains(lease.State)),
            "what it held is over"
        );
        Assert.Equal("CB2017", await AskAsync(world, other, "i-0"));

        // Its fleet goes on.
        Assert.Equal(Credential, await AskAsync(world, other, "i-1"));
    }

    [Theory]
    [InlineData("exchange-opened")]
    [InlineData("exchange-minted")]
    public async Task A_broker_that_is_killed_in_a_flood_takes_no_place_with_it_and_leaves_none_twice(string failpoint)
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        await using var world = await World.StartAsync(storeOnPostgres: true);
        await world.LimitAsync($"  - {{ id: fan-out, per: workload, maxActive: {Places} }}");
        await using var other = await world.StartAnotherAsync();
        await world.Broker.StopAsync();
        await world.Broker.DisposeAsync();
        await world.StartBrokerAsync(failpoint);

        // Its first comes before the flood: the other broker could take every place before it has opened one.
        var first = AskAsync(world, world.Broker, "i-0");
        await world.Broker.ReachedAsync(failpoint);
        var flood = FloodAsync(world, world.Broker, other);
        await Task.WhenAny(flood);
        await world.KillBrokerAsync();
        var answers = await Task.WhenAll([first, .. flood]);

        // What the killed one had opened keeps its place until it is over.
        await world.StartBrokerAsync();
        Assert.InRange((await world.LeasesAsync()).Count(IsNotOver), 0, Places);
        Assert.Contains(null, answers);
        await Eventually.BecomesTrueAsync(
            async () =>
                (await world.LeasesAsync()).All(lease => !IsNotOver(lease) || lease.State == LeaseStates.Active),
            "what the killed one had opened is over"
        );

        // Exactly the places that are free are taken, by either broker, and one that is given back is taken again.
        var active = (await world.LeasesAsync()).Where(IsNotOver).ToList();
        Assert.InRange(active.Count, 0, Places - 1);
        Assert.Equal(active.Count, answers.Count(answer => answer == Credential));
        var more = await Task.WhenAll(FloodAsync(world, world.Broker, other));
        Assert.Equal(Places - active.Count, more.Count(answer => answer == Credential));
        Assert.Equal(Flood - Places + active.Count, more.Count(answer => answer == LimitReached));
        var one = (await world.LeasesAsync()).First(IsNotOver).LeaseId;
        await world.Person("admin").RevokeAsync(new() { Lease = one, Reason = "one less" });
        await Eventually.BecomesTrueAsync(async () => !IsNotOver(await world.LeaseAsync(one)), "one is over");
        Assert.Equal(Credential, await AskAsync(world, other, "i-3"));
        Assert.Equal(LimitReached, await AskAsync(world, world.Broker, "i-4"));
        Assert.Equal(Places, (await world.LeasesAsync()).Count(IsNotOver));
    }

    private static bool IsNotOver(LeaseResponse lease) => NotOver.Contains(lease.State);

    private static List<Task<string?>> FloodAsync(World world, params BrokerProcess[] brokers) =>
        FloodAsync(world, brokers, instances: 40);

    /// <summary>All at once, in turns at the brokers, by so many instances of one workload.</summary>
    private static List<Task<string?>> FloodAsync(World world, BrokerProcess[] brokers, int instances)
    {
        var agents = new ConcurrentDictionary<(BrokerProcess, int), AgentClient>();
        return Enumerable
            .Range(0, Flood)
            .Select(number =>
            {
                var (broker, instance) = (brokers[number % brokers.Length], number % instances);
                var agent = agents.GetOrAdd((broker, instance), _ => new(broker.Connect(world.Token($"i-{instance}"))));
                return Task.Run(() => AskAsync(world, agent));
            })
            .ToList();
    }

    private static Task<string?> AskAsync(World world, BrokerProcess broker, string instance) =>
        AskAsync(world, new AgentClient(broker.Connect(world.Token(instance))));

    /// <summary>
    /// The credential's name where it was issued, the code where it was refused, null where nothing was heard of it.
    /// </summary>
    private static async Task<string?> AskAsync(World world, AgentClient agent)
    {
        while (true)
        {
            try
            {
                await world.ExchangeAsync(agent, credential: Credential);
                return Credential;
            }
            catch (BrokerProblemException refused) when (refused.Code == Overloaded)
            {
                // It was told to come back.
                await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            }
            catch (BrokerProblemException refused)
            {
                return refused.Code;
            }
            catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
            {
                return null;
            }
        }
    }
}
