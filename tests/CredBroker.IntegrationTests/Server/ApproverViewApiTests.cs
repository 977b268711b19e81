using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What approvers see beside a request: what its agent did lately, and how they themselves decide.</summary>
public sealed class ApproverViewApiTests : IAsyncLifetime
{
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() =>
        _broker = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Identity:Issuers:1:GroupsClaim"] = "groups" },
            TestPolicy.Text.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                StringComparison.Ordinal
            )
        );

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_approver_sees_what_the_asking_instance_had_in_the_last_hour_and_not_what_another_had()
    {
        var first = await AskAsync("t-1", "i-1");
        await ApproveAsync(first);
        using (var issued = await ExchangeAsync("t-1", "i-1", $",\"approvalId\":\"{first.GetProperty("approvalId")}\""))
        {
            Assert.Equal(HttpStatusCode.Created, issued.StatusCode);
        }

        using (var denied = await ExchangeAsync("t-1", "i-1", credential: "no-such-thing"))
        {
            Assert.Equal(HttpStatusCode.Forbidden, denied.StatusCode);
        }

        await AskAsync("t-3", "i-2");
        var asked = await AskAsync("t-2", "i-1");

        var seen = await ReadAsync($"/v1/approvals/{asked.GetProperty("approvalId")}");
        Assert.Equal(
            [("billing-readonly", 1, 0, 2), ("", 0, 1, 0)],
            seen.GetProperty("activity").GetProperty("credentials").EnumerateArray().Select(Counted)
        );
        // Of a question that is over, nobody has to judge what the instance does now.
        var over = await ReadAsync($"/v1/approvals/{first.GetProperty("approvalId")}");
        Assert.False(over.TryGetProperty("activity", out _));
        // In a list it would be said of each; there one looks for what waits.
        Assert.False((await ReadAsync("/v1/approvals")).GetProperty("approvals")[0].TryGetProperty("activity", out _));
    }

    [Fact]
    public async Task An_approver_sees_what_waits_for_them_and_how_fast_they_decide_and_hurry_is_on_record()
    {
        for (var task = 1; task <= 5; task++)
        {
            await ApproveAsync(await AskAsync($"t-{task}", "i-1"));
        }

        await AskAsync("t-6", "i-1");
        var you = (await ReadAsync("/v1/approvals")).GetProperty("you");
        Assert.Equal((1, 5), (you.GetProperty("waiting").GetInt32(), you.GetProperty("decisions").GetInt32()));
        var isHurried = you.GetProperty("medianSeconds").GetDouble() < 3;
        Assert.Equal(isHurried, you.GetProperty("hurried").GetBoolean());

        using var export = await _broker.SendAsync(HttpMethod.Get, "/v1/audit/export", _broker.Person("auditor"));
        Assert.Equal(
            isHurried,
            (await export.Content.ReadAsStringAsync()).Contains("\"approver.hurried\"", StringComparison.Ordinal)
        );
    }

    private static (string, int, int, int) Counted(JsonElement had) =>
        (
            had.TryGetProperty("credential", out var credential) ? credential.GetString()! : "",
            had.GetProperty("issued").GetInt32(),
            had.GetProperty("denied").GetInt32(),
            had.GetProperty("challenged").GetInt32()
        );

    private string Lead() =>
        _broker.People.Token(
            "ann",
            claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, new[] { "leads" })
        );

    private async Task<JsonElement> AskAsync(string task, string instance)
    {
        using var asked = await ExchangeAsync(task, instance);
        Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
        return JsonElement.Parse(await asked.Content.ReadAsStringAsync());
    }

    private Task<HttpResponseMessage> ExchangeAsync(
        string task,
        string instance,
        string more = "",
        string credential = "billing-readonly"
    ) =>
        _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(instance),
            Api.Json(
                $$"""
                {"task":{"id":"{{task}}","process":"invoice-triage","purpose":"pay"},"credential":"{{credential}}","actions":["read"]{{more}}}
                """
            )
        );

    private async Task ApproveAsync(JsonElement asked)
    {
        using var approved = await _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{asked.GetProperty("approvalId")}/approve",
            Lead(),
            Api.Json($$"""{"digest":"{{asked.GetProperty("digest")}}"}""")
        );
        Assert.Equal(HttpStatusCode.OK, approved.StatusCode);
    }

    private async Task<JsonElement> ReadAsync(string path)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, path, Lead());
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }
}
