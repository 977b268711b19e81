using System.Net;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>The kill switch while the store's file is away.</summary>
public sealed class StoreLostTests
{
    [Theory]
    [InlineData("""{"agent":"triage","reason":"incident"}""")]
    [InlineData("""{"agent":"triage","reason":"incident","hold":"2h"}""")]
    [InlineData("""{"everything":true,"confirm":true,"reason":"incident"}""")]
    public async Task An_order_kills_says_that_its_record_is_missing_and_is_recorded_when_the_store_is_back(
        string order
    )
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which file a path leads to is compared on Linux.");
        await using var broker = await TestBroker.StartAsync();
        using (var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            Assert.True(issued.IsSuccessStatusCode);
        }

        Assert.NotEmpty(broker.Vault.Live);
        var away = broker.StoreFile + ".away";
        File.Move(broker.StoreFile, away);

        using var ordered = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json(order)
        );
        var accepted = await ordered.ReadAsync(HttpStatusCode.Accepted);
        Assert.True(accepted.GetProperty("recordMissing").GetBoolean());
        await Eventually.BecomesTrueAsync(() => Task.FromResult(broker.Vault.Live.Count == 0));

        var path = $"/v1/revocations/{accepted.GetProperty("revocationId").GetString()}";
        using (var shown = await broker.SendAsync(HttpMethod.Get, path, broker.Person("viewer")))
        {
            var progress = await shown.ReadAsync(HttpStatusCode.OK);
            Assert.True(progress.GetProperty("recordMissing").GetBoolean());
            Assert.False(progress.GetProperty("complete").GetBoolean());
        }

        File.Move(away, broker.StoreFile);
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var shown = await broker.SendAsync(HttpMethod.Get, path, broker.Person("viewer"));
            var progress = await shown.ReadAsync(HttpStatusCode.OK);
            return progress.GetProperty("complete").GetBoolean()
                && !progress.TryGetProperty("recordMissing", out _)
                && progress.GetProperty("counts").GetProperty("revoked").GetInt32() == 1;
        });
    }

    [Fact]
    public async Task An_order_for_which_there_is_no_room_kills_all_the_same_and_says_that_it_is_not_kept()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which file a path leads to is compared on Linux.");
        await using var broker = await TestBroker.StartAsync();
        using (var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            Assert.True(issued.IsSuccessStatusCode);
        }

        File.Move(broker.StoreFile, broker.StoreFile + ".away");
        for (var i = 0; i < 100; i++)
        {
            using var kept = await OrderAsync("""{"agent":"another","reason":"incident","allowNone":true}""");
            await kept.ReadAsync(HttpStatusCode.Accepted);
        }

        Assert.NotEmpty(broker.Vault.Live);
        using var one = await OrderAsync("""{"agent":"triage","reason":"incident"}""");
        var problem = await one.ReadProblemAsync("CB5003");

        Assert.Contains("confirmed gone: 1;", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(broker.Vault.Live);

        Task<HttpResponseMessage> OrderAsync(string order) =>
            broker.SendAsync(HttpMethod.Post, "/v1/revocations", broker.Person("admin"), Api.Json(order));
    }

    [Fact]
    public async Task A_hold_holds_at_once_says_that_its_record_is_missing_and_is_recorded_when_the_store_is_back()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which file a path leads to is compared on Linux.");
        await using var broker = await TestBroker.StartAsync();
        var away = broker.StoreFile + ".away";
        File.Move(broker.StoreFile, away);

        using var placed = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/holds",
            broker.Person("admin"),
            Api.Json("""{"agent":"triage","reason":"incident"}""")
        );
        var hold = await placed.ReadAsync(HttpStatusCode.Created);
        Assert.True(hold.GetProperty("recordMissing").GetBoolean());
        using (var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            await refused.ReadProblemAsync("CB5002");
        }

        File.Move(away, broker.StoreFile);
        var holdId = hold.GetProperty("holdId").GetString();
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var shown = await broker.SendAsync(HttpMethod.Get, "/v1/holds", broker.Person("viewer"));
            return shown.IsSuccessStatusCode
                && (await shown.ReadAsync(HttpStatusCode.OK)).GetProperty("holds").EnumerateArray().ToList()
                    is [var one]
                && one.GetProperty("holdId").GetString() == holdId
                && !one.TryGetProperty("recordMissing", out _);
        });
        using var held = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        await held.ReadProblemAsync("CB2017");
    }

    [Fact]
    public async Task A_broker_that_starts_on_a_store_that_it_cannot_write_only_revokes_until_it_can()
    {
        await using var broker = await TestBroker.StartAsync();
        using (var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            Assert.True(issued.IsSuccessStatusCode);
        }

        await broker.StopAsync();
        var live = Assert.Single(broker.Vault.Live);
        File.Delete(broker.StoreFile + ".lock");
        Directory.CreateDirectory(broker.StoreFile + ".lock");
        await broker.RestartAsync();

        using (var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            Assert.Equal(
                "CB5002",
                (await refused.ReadAsync(HttpStatusCode.ServiceUnavailable)).GetProperty("code").GetString()
            );
        }

        Assert.Contains(live, broker.Vault.Live);
        using var ordered = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json("""{"agent":"triage","reason":"incident"}""")
        );
        var accepted = await ordered.ReadAsync(HttpStatusCode.Accepted);
        Assert.True(accepted.GetProperty("recordMissing").GetBoolean());
        await Eventually.BecomesTrueAsync(() => Task.FromResult(broker.Vault.Live.Count == 0));

        Directory.Delete(broker.StoreFile + ".lock");
        var path = $"/v1/revocations/{accepted.GetProperty("revocationId").GetString()}";
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var shown = await broker.SendAsync(HttpMethod.Get, path, broker.Person("viewer"));
            return shown.IsSuccessStatusCode
                && (await shown.ReadAsync(HttpStatusCode.OK)).GetProperty("complete").GetBoolean();
        });
        // It is compared with its anchor first.
        await Eventually.BecomesTrueAsync(async () =>
        {
            using var again = await broker.SendAsync(
                HttpMethod.Post,
                "/v1/credentials",
                broker.Agent("i-2"),
                Api.Exchange()
            );
            return again.IsSuccessStatusCode;
        });
    }
}
