using System.Net;
using CredBroker.Core.Audit;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A broker whose store is PostgreSQL.</summary>
public sealed class PostgresStoreTests(SharedPostgres shared) : IClassFixture<SharedPostgres>
{
    [Fact]
    public async Task What_is_issued_is_released_over_a_restart_and_the_export_verifies()
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        await using var broker = await TestBroker.StartAsync(Settings(schema));
        using var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange());
        var leaseId = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString();
        Assert.NotEmpty(broker.Vault.Live);
        Assert.False(File.Exists(broker.StoreFile));

        await broker.RestartAsync(Settings(schema));

        using (var health = await broker.SendAsync(HttpMethod.Get, "/health/issuing", token: null))
        {
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        }

        using var released = await broker.SendAsync(HttpMethod.Delete, $"/v1/credentials/{leaseId}", broker.Agent());
        await released.ReadAsync(HttpStatusCode.NoContent);
        Assert.Empty(broker.Vault.Live);
        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        await using var log = await export.Content.ReadAsStreamAsync();
        var verified = await AuditVerifier.VerifyAsync(log, [], default);
        Assert.Null(verified.Fault);
        Assert.True(verified.IsWhole, verified.Range);
        Assert.Contains("lease.revoked", await export.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(broker.Vault.Marker, await schema.DumpAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_gone_stops_issuing_until_it_is_back_and_forgets_no_order()
    {
        await using var postgres = await TestPostgres.StartAsync();
        using var schema = await PostgresSchema.MakeAsync(postgres);
        await using var broker = await TestBroker.StartAsync(Settings(schema));
        using (var issued = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            await issued.ReadAsync(HttpStatusCode.Created);
        }

        await postgres.StopAsync();
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var health = await broker.SendAsync(HttpMethod.Get, "/health/issuing", token: null);
                return health.StatusCode == HttpStatusCode.ServiceUnavailable;
            },
            "health says that nothing is issued"
        );
        using (var refused = await broker.SendAsync(HttpMethod.Post, "/v1/credentials", broker.Agent(), Api.Exchange()))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        using var ordered = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json("""{"agent":"triage","reason":"incident"}""")
        );
        Assert.True((await ordered.ReadAsync(HttpStatusCode.Accepted)).GetProperty("recordMissing").GetBoolean());

        await postgres.StartAgainAsync();
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(broker.Vault.Live.Count == 0),
            "the order that was given meanwhile is carried out"
        );
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var issued = await broker.SendAsync(
                    HttpMethod.Post,
                    "/v1/credentials",
                    broker.Agent(),
                    Api.Exchange()
                );
                return issued.StatusCode == HttpStatusCode.Created;
            },
            "it is issued again"
        );
    }

    private static Dictionary<string, string?> Settings(PostgresSchema schema) =>
        new() { ["Storage:Provider"] = "postgres", ["Storage:ConnectionStringFile"] = schema.ConnectionStringFile };
}
