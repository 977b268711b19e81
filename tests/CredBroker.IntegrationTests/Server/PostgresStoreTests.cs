using System.Net;
using CredBroker.Core.Audit;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;

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

    private static Dictionary<string, string?> Settings(PostgresSchema schema) =>
        new() { ["Storage:Provider"] = "postgres", ["Storage:ConnectionStringFile"] = schema.ConnectionStringFile };
}
