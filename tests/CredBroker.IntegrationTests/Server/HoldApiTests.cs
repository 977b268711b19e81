using System.Net;
using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

public sealed class HoldApiTests : IAsyncLifetime
{
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await TestBroker.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_quarantined_agent_gets_nothing_more_and_loses_what_it_has()
    {
        await AskAsync(HttpStatusCode.Created);
        var accepted = await ReadAsync(
            "/v1/revocations",
            """{"agent":"triage","hold":"2h","reason":"it chains actions"}""",
            HttpStatusCode.Accepted
        );
        await RefusedAsync("CB2017");

        var revocationId = accepted.GetProperty("revocationId").GetString();
        await Eventually.BecomesTrueAsync(async () =>
            (await GetAsync($"/v1/revocations/{revocationId}")).GetProperty("complete").GetBoolean()
        );
        var progress = await GetAsync($"/v1/revocations/{revocationId}");
        Assert.Equal(
            "quarantine",
            progress.GetProperty("leases")[0].GetProperty("revocation").GetProperty("cause").GetString()
        );
        Assert.Empty(_broker.Vault.Live);

        var hold = Assert.Single((await GetAsync("/v1/holds")).GetProperty("holds").EnumerateArray());
        Assert.Equal(accepted.GetProperty("holdId").GetString(), hold.GetProperty("holdId").GetString());
        Assert.Equal(revocationId, hold.GetProperty("revocationId").GetString());
        Assert.Equal(
            ("triage", "it chains actions", "person:https://people.test#person-1"),
            (
                hold.GetProperty("agent").GetString(),
                hold.GetProperty("reason").GetString(),
                hold.GetProperty("placedBy").GetString()
            )
        );
        Assert.Equal(
            TimeSpan.FromHours(2),
            hold.GetProperty("until").GetDateTimeOffset() - hold.GetProperty("placedAt").GetDateTimeOffset()
        );
    }

    [Fact]
    public async Task From_a_hold_on_every_token_is_checked_anew()
    {
        var verifier = _broker.Services.GetRequiredService<IWorkloadVerifier>();
        var proof = new IdentityProof.Bearer(new SecretText(_broker.Agent()));
        var known = await verifier.VerifyAsync(proof, default);
        Assert.Same(known, await verifier.VerifyAsync(proof, default));

        await ReadAsync("/v1/holds", """{"credential":"shared-key"}""", HttpStatusCode.Created);
        var anew = await verifier.VerifyAsync(proof, default);
        Assert.NotSame(known, anew);

        await ReadAsync(
            "/v1/revocations",
            """{"agent":"triage","hold":"2h","allowNone":true}""",
            HttpStatusCode.Accepted
        );
        Assert.NotSame(anew, await verifier.VerifyAsync(proof, default));
    }

    [Fact]
    public async Task A_hold_lasts_over_a_restart_and_ends_when_it_is_lifted_for_a_reason()
    {
        var hold = await ReadAsync("/v1/holds", """{"credential":"shared-key"}""", HttpStatusCode.Created);
        Assert.False(hold.TryGetProperty("until", out _));
        await _broker.RestartAsync();
        await RefusedAsync("CB2017");
        await AskAsync(HttpStatusCode.Created, "billing-readonly");

        var lift = $"/v1/holds/{hold.GetProperty("holdId").GetString()}/lift";
        foreach (
            var (body, code) in new[]
            {
                ("{}", "CB6001"),
                ("""{"reason":" "}""", "CB6003"),
                ($$"""{"reason":"{{new string('x', 1001)}}"}""", "CB6003"),
            }
        )
        {
            await (await PostAsync(lift, body)).ReadProblemAsync(code);
        }

        var lifted = await ReadAsync(lift, """{"reason":"it was a drill"}""", HttpStatusCode.OK);
        Assert.Equal("it was a drill", lifted.GetProperty("liftReason").GetString());
        await AskAsync(HttpStatusCode.Created);
        Assert.Empty((await GetAsync("/v1/holds")).GetProperty("holds").EnumerateArray());
        await (await PostAsync(lift, """{"reason":"again"}""")).ReadProblemAsync("CB7008");
    }

    [Theory]
    [InlineData("{}", "CB7002")]
    [InlineData("""{"reason":"no selector"}""", "CB7002")]
    [InlineData("""{"everything":false}""", "CB7002")]
    [InlineData("""{"everything":true}""", "CB7003")]
    [InlineData("""{"everything":true,"confirm":true,"agent":"triage"}""", "CB7002")]
    [InlineData("""{"lease":"00000000000000000000000000000000"}""", "CB7002")]
    [InlineData("""{"agent":""}""", "CB6003")]
    [InlineData("""{"workload":"  "}""", "CB6003")]
    [InlineData("""{"agent":"triage","for":"8785h"}""", "CB6003")]
    [InlineData("""{"agent":"triage","for":"soon"}""", "CB6001")]
    [InlineData("""{"agent":"triag"}""", "CB7006")]
    [InlineData("""{"trustDomain":"nobody.example"}""", "CB7006")]
    public async Task A_hold_that_is_not_understood_is_refused_and_holds_nothing(string body, string code)
    {
        await (await PostAsync("/v1/holds", body)).ReadProblemAsync(code);
        await AskAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_name_that_nobody_has_yet_is_held_where_none_is_allowed()
    {
        await ReadAsync("/v1/holds", """{"instance":"i-1","allowNone":true}""", HttpStatusCode.Created);
        await RefusedAsync("CB2017");
    }

    [Fact]
    public async Task What_an_admin_was_refused_because_it_reaches_nothing_is_on_record()
    {
        foreach (var path in new[] { "/v1/holds", "/v1/revocations" })
        {
            await (await PostAsync(path, """{"agent":"triag"}""")).ReadProblemAsync("CB7006");
        }

        using var export = await _broker.SendAsync(HttpMethod.Get, "/v1/audit/export", _broker.Person("auditor"));
        var log = await export.Content.ReadAsStringAsync();
        Assert.Equal(2, log.Split("\"CB7006\"").Length - 1);
    }

    [Fact]
    public async Task Everything_is_held_when_it_is_said_twice()
    {
        await ReadAsync("/v1/holds", """{"everything":true,"confirm":true,"for":"1h"}""", HttpStatusCode.Created);
        await RefusedAsync("CB2017");
    }

    private async Task AskAsync(HttpStatusCode expected, string credential = "shared-key")
    {
        using var response = await ExchangeAsync(credential);
        await response.ReadAsync(expected);
    }

    private async Task RefusedAsync(string code)
    {
        using var response = await ExchangeAsync("shared-key");
        await response.ReadProblemAsync(code);
    }

    private Task<HttpResponseMessage> ExchangeAsync(string credential) =>
        _broker.SendAsync(HttpMethod.Post, "/v1/credentials", _broker.Agent(), Api.Exchange(credential));

    private Task<HttpResponseMessage> PostAsync(string path, string body) =>
        _broker.SendAsync(HttpMethod.Post, path, _broker.Person("admin"), Api.Json(body));

    private async Task<JsonElement> ReadAsync(string path, string body, HttpStatusCode expected)
    {
        using var response = await PostAsync(path, body);
        return await response.ReadAsync(expected);
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, path, _broker.Person("viewer"));
        return await response.ReadAsync(HttpStatusCode.OK);
    }
}
