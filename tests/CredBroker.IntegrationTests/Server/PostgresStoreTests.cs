using System.Net;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A broker whose store is PostgreSQL. What it does while that fails: <see cref="PostgresOutageTests"/>.</summary>
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
    public async Task From_a_hold_that_another_broker_places_every_token_is_checked_anew()
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        await using var broker = await TestBroker.StartAsync(Settings(schema));
        await using var other = await TestBroker.StartAsync(Settings(schema));
        var verifier = broker.Services.GetRequiredService<IWorkloadVerifier>();
        var proof = new IdentityProof.Bearer(new SecretText(broker.Agent()));
        var known = await verifier.VerifyAsync(proof, default);
        Assert.Same(known, await verifier.VerifyAsync(proof, default));

        using var held = await other.SendAsync(
            HttpMethod.Post,
            "/v1/holds",
            other.Person("admin"),
            Api.Json("""{"credential":"shared-key","reason":"incident"}""")
        );
        await held.ReadAsync(HttpStatusCode.Created);

        await Eventually.BecomesTrueAsync(
            async () => await verifier.VerifyAsync(proof, default) != known,
            "the token is checked anew"
        );
    }

    [Fact]
    public async Task Health_shows_each_broker_on_the_store_as_its_records_call_it()
    {
        using var schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        await using var broker = await TestBroker.StartAsync(Settings(schema));
        await using var other = await TestBroker.StartAsync(Settings(schema));

        using var health = await broker.SendAsync(HttpMethod.Get, "/health/ready", token: null);
        var brokers = (await health.ReadAsync(HttpStatusCode.OK)).GetProperty("storeBrokers").EnumerateArray().ToList();

        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        var log = await export.Content.ReadAsStringAsync();
        Assert.Equal(2, brokers.Count);
        Assert.All(
            brokers,
            one =>
            {
                Assert.Contains($"\"broker\":\"{one.GetProperty("id").GetString()}\"}}", log, StringComparison.Ordinal);
                Assert.True(
                    one.GetProperty("since").GetDateTimeOffset() <= one.GetProperty("seenAt").GetDateTimeOffset()
                );
            }
        );
        Assert.NotEqual(brokers[0].GetProperty("id").GetString(), brokers[1].GetProperty("id").GetString());
    }

    private static Dictionary<string, string?> Settings(PostgresSchema schema) =>
        new() { ["Storage:Provider"] = "postgres", ["Storage:ConnectionStringFile"] = schema.ConnectionStringFile };
}
