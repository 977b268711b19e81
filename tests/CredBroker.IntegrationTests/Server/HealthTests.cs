using System.Net;
using System.Text.Json;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

public sealed class HealthTests
{
    [Fact]
    public async Task A_broker_that_is_well_says_so()
    {
        await using var broker = await TestBroker.StartAsync();
        foreach (var path in new[] { "/health/live", "/health/ready", "/health/issuing" })
        {
            Assert.Equal("ok", (await HealthAsync(broker, path, HttpStatusCode.OK)).GetProperty("status").GetString());
        }

        Assert.True(broker.Vault.Probes > 0);
    }

    [Fact]
    public async Task Without_vault_the_broker_is_ready_but_issues_nothing_and_names_the_part()
    {
        await using var broker = await TestBroker.StartAsync();
        broker.Vault.Status = new(false, new(RefusalCode.VaultSealed, "Vault is sealed."), null);
        await HealthAsync(broker, "/health/ready", HttpStatusCode.OK);
        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        var vault = health
            .GetProperty("parts")
            .EnumerateArray()
            .Single(part => part.GetProperty("name").GetString() == "vault");
        Assert.Equal(
            ("unavailable", "CB4002"),
            (vault.GetProperty("status").GetString(), vault.GetProperty("code").GetString())
        );

        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB4002");
        using var leases = await broker.SendAsync(HttpMethod.Get, "/v1/leases", broker.Person("viewer"));
        await leases.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_store_whose_file_is_deleted_under_the_broker_stops_issuing_and_health_says_so()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which file a path leads to is compared on Linux.");
        await using var broker = await TestBroker.StartAsync();
        using (var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            Assert.True(issued.IsSuccessStatusCode);
        }

        File.Delete(broker.StoreFile);
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var asked = await broker.SendAsync(HttpMethod.Get, "/health/issuing", null);
            return !asked.IsSuccessStatusCode;
        });
        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        Assert.Equal(
            "unavailable CB5002",
            health
                .GetProperty("parts")
                .EnumerateArray()
                .Where(part => part.GetProperty("name").GetString() == "store")
                .Select(part => $"{part.GetProperty("status")} {part.GetProperty("code")}")
                .Single()
        );
        var minted = broker.Vault.Live.Count;
        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB5002");
        Assert.Equal(minted, broker.Vault.Live.Count);
    }

    [Fact]
    public async Task Without_a_good_policy_the_broker_starts_and_issues_nothing_until_there_is_one()
    {
        await using var broker = await TestBroker.StartAsync(policy: "rules: nonsense");
        await HealthAsync(broker, "/health/ready", HttpStatusCode.OK);
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB2010");

        await File.WriteAllTextAsync(broker.PolicyFile, TestPolicy.Text);
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var response = await broker.SendAsync(HttpMethod.Get, "/health/issuing", null);
            return response.IsSuccessStatusCode;
        });
    }

    [Fact]
    public async Task Without_the_keys_of_any_workload_issuer_the_broker_says_that_it_issues_nothing()
    {
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Identity:Issuers:0:Jwks:File"] = "",
                ["Identity:Issuers:0:Jwks:Uri"] = $"https://localhost:{LoopbackPort.Next()}/jwks",
            }
        );
        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB1016");

        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        Assert.Equal(("unavailable", "CB1016"), Part(health, "keys"));
        Assert.Equal(("ok", null), Part(health, "vault"));
        await HealthAsync(broker, "/health/ready", HttpStatusCode.OK);
    }

    [Fact]
    public async Task One_workload_issuer_without_keys_makes_health_say_so_and_keeps_no_other_agent_from_its_secrets()
    {
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Identity:Issuers:2:Issuer"] = "https://unreachable.test",
                ["Identity:Issuers:2:Algorithms:0"] = "ES256",
                ["Identity:Issuers:2:WorkloadClaim"] = "workload",
                ["Identity:Issuers:2:Jwks:Uri"] = $"https://localhost:{LoopbackPort.Next()}/jwks",
            }
        );
        using var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await issued.ReadAsync(HttpStatusCode.Created);
        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        Assert.Equal(("unavailable", "CB1016"), Part(health, "keys"));
        Assert.DoesNotContain("unreachable.test", health.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_ends_no_lease_and_pauses_issuing_until_it_is_right_again_or_repaired()
    {
        var steady = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var clock = new JumpingTime(steady);
        await using var broker = await TestBroker.StartAsync(replace: Tell(clock));
        using var before = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await before.ReadAsync(HttpStatusCode.Created);

        clock.Offset = TimeSpan.FromDays(10);
        using var health = await broker.SendAsync(HttpMethod.Get, "/health/issuing", null);
        Assert.Equal(
            ("unavailable", "CB5005"),
            Part(await health.ReadAsync(HttpStatusCode.ServiceUnavailable), "clock")
        );
        var store = broker.Services.GetRequiredService<IBrokerStore>();
        Assert.Equal(LeaseState.Active, Assert.Single((await store.Leases.ListAsync(new(), default)).Leases).State);

        // Nobody's order is refused for the clock's sake, though by it every token has expired.
        using var order = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json("""{"agent":"triage","reason":"the clock jumped"}""")
        );
        await order.ReadAsync(HttpStatusCode.Accepted);
        await Eventually.BecomesTrueAsync(
            async () =>
                Assert.Single((await store.Leases.ListAsync(new(), default)).Leases).State == LeaseState.Revoked,
            "it is carried out"
        );

        // What gives something back is.
        using var lifted = await broker.SendAsync(
            HttpMethod.Post,
            $"/v1/holds/{new string('0', 32)}/lift",
            broker.Person("admin"),
            Api.Json("""{"reason":"over"}""")
        );
        await lifted.ReadProblemAsync("CB1010");

        clock.Offset = TimeSpan.Zero;
        // What health said is remembered for a second.
        steady.Advance(TimeSpan.FromSeconds(1));
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.OK);
        using var after = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await after.ReadAsync(HttpStatusCode.Created);

        static Action<IServiceCollection> Tell(TimeProvider time) =>
            services => services.Replace(ServiceDescriptor.Singleton(time));
    }

    [Fact]
    public async Task A_broker_that_was_off_for_days_takes_no_token_of_the_time_before()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await TestBroker.StartAsync(replace: Tell(clock));
        await broker.RestartAsync(replace: Tell(new FakeTimeProvider(clock.GetUtcNow().AddDays(3))));

        using var order = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json("""{"everything":true,"confirm":true}""")
        );
        await order.ReadProblemAsync("CB1010");

        static Action<IServiceCollection> Tell(TimeProvider time) =>
            services => services.Replace(ServiceDescriptor.Singleton(time));
    }

    [Fact]
    public async Task A_clock_behind_the_stores_keeps_secrets_from_being_issued_and_is_named()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await TestBroker.StartAsync(replace: Tell(clock));
        using var before = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await before.ReadAsync(HttpStatusCode.Created);
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.OK);

        // The same store under a clock that lies behind what it has seen.
        var late = new FakeTimeProvider(clock.GetUtcNow() - TimeSpan.FromSeconds(10));
        await broker.RestartAsync(replace: Tell(late));
        using var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await refused.ReadProblemAsync("CB5005");
        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        Assert.Equal(("unavailable", "CB5005"), Part(health, "clock"));

        static Action<IServiceCollection> Tell(TimeProvider time) =>
            services => services.Replace(ServiceDescriptor.Singleton(time));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hold_of_everything_or_one_that_cannot_be_read_is_said_by_health(bool isUnreadable)
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await TestBroker.StartAsync(replace: services =>
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock))
        );
        using var narrow = await HoldAsync("""{"agent":"triage","reason":"incident","allowNone":true}""");
        await narrow.ReadAsync(HttpStatusCode.Created);
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.OK);

        if (isUnreadable)
        {
            await using var store = new SqliteConnection($"Data Source={broker.StoreFile};Pooling=False");
            await store.OpenAsync();
            await using var damage = store.CreateCommand();
            damage.CommandText = "PRAGMA ignore_check_constraints = 1; UPDATE hold SET selector = 'damaged'";
            Assert.Equal(1, await damage.ExecuteNonQueryAsync());
        }
        else
        {
            using var wide = await HoldAsync("""{"everything":true,"confirm":true,"reason":"incident"}""");
            await wide.ReadAsync(HttpStatusCode.Created);
        }

        clock.Advance(TimeSpan.FromSeconds(1));
        var health = await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        Assert.Equal(("unavailable", "CB2017"), Part(health, "holds"));

        Task<HttpResponseMessage> HoldAsync(string body) =>
            broker.SendAsync(HttpMethod.Post, "/v1/holds", broker.Person("admin"), Api.Json(body));
    }

    [Fact]
    public async Task What_health_says_is_remembered_for_a_second()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await TestBroker.StartAsync(replace: services =>
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock))
        );
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.OK);
        broker.Vault.Status = new(false, new(RefusalCode.VaultSealed, "Vault is sealed."), null);
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.OK);
        clock.Advance(TimeSpan.FromSeconds(1));
        await HealthAsync(broker, "/health/issuing", HttpStatusCode.ServiceUnavailable);
        await HealthAsync(broker, "/health/ready", HttpStatusCode.OK);
    }

    private static (string? Status, string? Code) Part(JsonElement health, string name)
    {
        var part = health
            .GetProperty("parts")
            .EnumerateArray()
            .Single(part => part.GetProperty("name").GetString() == name);
        return (
            part.GetProperty("status").GetString(),
            part.TryGetProperty("code", out var code) ? code.GetString() : null
        );
    }

    private static async Task<JsonElement> HealthAsync(TestBroker broker, string path, HttpStatusCode expected)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, path, null);
        return await response.ReadAsync(expected);
    }
}
