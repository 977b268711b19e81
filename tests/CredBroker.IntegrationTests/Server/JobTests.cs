using System.Net;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

public sealed class JobTests
{
    [Fact]
    public async Task A_lease_ends_when_its_time_is_over_without_anybody_asking()
    {
        await using var broker = await TestBroker.StartAsync();
        using var issued = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            broker.Agent(),
            Api.Exchange(more: ""","ttl":"2s" """)
        );
        var leaseId = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString();

        await Eventually.BecomesTrueAsync(async () =>
        {
            using var found = await broker.SendAsync(HttpMethod.Get, $"/v1/credentials/{leaseId}", broker.Agent());
            var lease = await found.ReadAsync(HttpStatusCode.OK);
            return lease.GetProperty("state").GetString() == "revoked"
                && lease.GetProperty("revocation").GetProperty("cause").GetString() == "expiry";
        });
        Assert.Empty(broker.Vault.Live);
    }

    [Fact]
    public async Task A_clock_that_falls_back_keeps_no_job_from_running()
    {
        var steady = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var clock = new JumpingTime(steady) { Offset = TimeSpan.FromSeconds(30) };
        await using var broker = await TestBroker.StartAsync(replace: services =>
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock))
        );
        using var issued = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            broker.Agent(),
            Api.Exchange(more: ""","ttl":"2s" """)
        );
        await issued.ReadAsync(HttpStatusCode.Created);

        clock.Offset = TimeSpan.Zero;
        var passed = TimeSpan.Zero;
        await Eventually.BecomesTrueAsync(() =>
        {
            if (passed < TimeSpan.FromSeconds(20))
            {
                steady.Advance(TimeSpan.FromSeconds(1));
                passed += TimeSpan.FromSeconds(1);
            }

            return Task.FromResult(broker.Vault.Live.Count == 0);
        });
    }

    [Fact]
    public async Task What_was_live_before_a_restart_is_live_and_revocable_after_it()
    {
        await using var broker = await TestBroker.StartAsync();
        using var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        var leaseId = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString();

        await broker.RestartAsync();

        using var found = await broker.SendAsync(HttpMethod.Get, $"/v1/credentials/{leaseId}", broker.Agent());
        Assert.Equal("active", (await found.ReadAsync(HttpStatusCode.OK)).GetProperty("state").GetString());
        using var released = await broker.SendAsync(HttpMethod.Delete, $"/v1/credentials/{leaseId}", broker.Agent());
        await released.ReadAsync(HttpStatusCode.NoContent);

        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        var log = await export.Content.ReadAsStringAsync();
        Assert.Equal(2, log.Split("\"stream.opened\"").Length - 1);
        Assert.Contains("\"stream.closed\"", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_only_counted_is_on_record_after_a_stop()
    {
        await using var broker = await TestBroker.StartAsync();
        for (var i = 0; i < 40; i++)
        {
            using var read = await broker.SendAsync(HttpMethod.Get, "/v1/policy", broker.Person("viewer"));
            await read.ReadAsync(HttpStatusCode.OK);
            using var refused = await broker.SendAsync(HttpMethod.Get, "/v1/policy", token: null);
            await refused.ReadProblemAsync("CB1001");
        }

        await broker.RestartAsync();

        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        var log = await export.Content.ReadAsStringAsync();
        Assert.Contains("admin.reads-counted", log, StringComparison.Ordinal);
        Assert.Contains("request.refused-counted", log, StringComparison.Ordinal);
    }
}
