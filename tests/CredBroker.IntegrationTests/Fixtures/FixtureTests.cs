using System.Net;
using System.Text.Json.Nodes;

namespace CredBroker.IntegrationTests.Fixtures;

public sealed class FixtureTests
{
    [Fact]
    public async Task A_dev_server_answers_and_writes_its_audit_log()
    {
        await using var bao = await TestBao.StartAsync();
        await bao.SendAsync(
            HttpMethod.Post,
            "secret/data/greeting",
            new JsonObject { ["data"] = new JsonObject { ["text"] = "hello" } }
        );

        var read = await bao.SendAsync(HttpMethod.Get, "secret/data/greeting");

        Assert.Equal("hello", read.GetProperty("data").GetProperty("data").GetProperty("text").GetString());
        Assert.Contains("secret/data/greeting", await File.ReadAllTextAsync(bao.AuditLogPath));
    }

    [Fact]
    public async Task A_sealable_server_can_be_sealed_killed_and_started_again()
    {
        await using var bao = await TestBao.StartSealableAsync();
        await bao.SendAsync(HttpMethod.Post, "sys/policies/acl/kept", new JsonObject { ["policy"] = "# nothing" });
        await bao.SealAsync();
        using (var answer = await bao.CallAsync(HttpMethod.Get, "sys/policies/acl/kept"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        }

        await bao.UnsealAsync();
        await bao.KillAsync();
        await bao.RestartAsync();

        await bao.SendAsync(HttpMethod.Get, "sys/policies/acl/kept");
    }

    [Fact]
    public async Task A_cluster_checks_passwords_and_survives_a_stop()
    {
        await using var postgres = await TestPostgres.StartAsync();
        await postgres.CreateAdminAsync();

        Assert.True(await postgres.CanLogInAsync("cb_admin", "cb_admin-password"));
        Assert.False(await postgres.CanLogInAsync("cb_admin", "another"));

        await postgres.StopAsync();
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => postgres.ConnectAsync());
        await postgres.StartAgainAsync();
        Assert.True(await postgres.CanLogInAsync("cb_admin", "cb_admin-password"));
    }
}
