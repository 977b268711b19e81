using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>A challenge over the wire: asked, waited for, decided by people, redeemed once.</summary>
public sealed class ApprovalApiTests : IAsyncLifetime
{
    private const string Body = """
        {"task":{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 7"},"credential":"billing-readonly","actions":["read"]}
        """;
    private static readonly Dictionary<string, string?> Groups = new()
    {
        ["Identity:Issuers:1:GroupsClaim"] = "groups",
    };
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() =>
        _broker = await TestBroker.StartAsync(
            Groups,
            TestPolicy.Text.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                StringComparison.Ordinal
            )
        );

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_challenge_is_approved_by_a_person_and_redeemed_once()
    {
        var asked = await AskAsync();
        var id = asked.GetProperty("approvalId").GetString()!;
        Assert.Equal("5s", asked.GetProperty("interval").GetString());
        Assert.Equal("authorization_pending", await StatusAsync(id));
        Assert.Empty(_broker.Vault.Live);

        var waiting = StatusAsync(id, "?wait=30s");
        var listed = await ReadAsync(HttpMethod.Get, "/v1/approvals", Lead("ann"));
        var seen = Assert.Single(listed.GetProperty("approvals").EnumerateArray());
        Assert.Equal(
            (id, "triage-i-1", "invoice-triage", "pay invoice 7", "10m"),
            (
                seen.GetProperty("approvalId").GetString(),
                seen.GetProperty("requester").GetProperty("subject").GetString(),
                seen.GetProperty("process").GetString(),
                seen.GetProperty("statements").GetProperty("purpose").GetString(),
                seen.GetProperty("ttl").GetString()
            )
        );
        var digest = seen.GetProperty("digest").GetString()!;
        Assert.Equal(asked.GetProperty("digest").GetString(), digest);
        await (await ApproveAsync(id, new('0', 64), Lead("ann"))).ReadProblemAsync("CB3011");
        Assert.Equal(HttpStatusCode.OK, (await ApproveAsync(id, digest, Lead("ann"))).StatusCode);
        Assert.Equal("approved", await waiting.WaitAsync(Patience.Limit));

        Assert.Equal(HttpStatusCode.Created, (await ExchangeAsync(_broker.Agent(), id)).StatusCode);
        await (await ExchangeAsync(_broker.Agent(), id)).ReadProblemAsync("CB3005");
        Assert.Single(_broker.Vault.Live);
        Assert.Equal("redeemed", await StatusAsync(id));
        Assert.Equal(
            "redeemed",
            (await ReadAsync(HttpMethod.Get, $"/v1/approvals/{id}", Lead("ann"))).GetProperty("state").GetString()
        );
    }

    [Fact]
    public async Task Only_who_asked_polls_and_redeems()
    {
        var (id, digest) = Named(await AskAsync());
        await ApproveAsync(id, digest, Lead("ann"));
        foreach (var other in new[] { _broker.Agent("i-2"), _broker.Workload("stranger") })
        {
            await (await _broker.SendAsync(HttpMethod.Get, $"/v1/requests/{id}", other)).ReadProblemAsync("CB3001");
            Assert.NotEqual(HttpStatusCode.Created, (await ExchangeAsync(other, id)).StatusCode);
        }

        Assert.Empty(_broker.Vault.Live);
        Assert.Equal(HttpStatusCode.Created, (await ExchangeAsync(_broker.Agent(), id)).StatusCode);
    }

    [Fact]
    public async Task An_agents_token_with_an_approvers_group_approves_nothing()
    {
        var (id, digest) = Named(await AskAsync());
        var forged = _broker.Workloads.Token(
            "triage-i-1",
            claims =>
            {
                (claims["workload"], claims["instance"]) = ("triage", "i-1");
                (claims["groups"], claims["roles"]) = (new[] { "leads" }, new[] { "approver" });
            }
        );
        var refused = await ApproveAsync(id, digest, forged);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        // A person's token without the role, with the group; an admin's; a role without the group.
        await (await ApproveAsync(id, digest, Person("eve", ["viewer"], "leads"))).ReadProblemAsync("CB7001");
        await (await ApproveAsync(id, digest, Person("eve", ["admin"], "leads"))).ReadProblemAsync("CB7001");
        await (await ApproveAsync(id, digest, Person("eve", ["approver"]))).ReadProblemAsync("CB3001");
        Assert.Equal("authorization_pending", await StatusAsync(id));
    }

    [Fact]
    public async Task A_denial_needs_a_reason_and_the_agent_hears_it()
    {
        var (id, _) = Named(await AskAsync());
        var path = $"/v1/approvals/{id}/deny";
        await (
            await _broker.SendAsync(HttpMethod.Post, path, Lead("ann"), Api.Json("""{"reason":" "}"""))
        ).ReadProblemAsync("CB6003");
        await ReadAsync(HttpMethod.Post, path, Lead("ann"), """{"reason":"not today"}""");
        var status = await ReadAsync(HttpMethod.Get, $"/v1/requests/{id}", _broker.Agent());
        Assert.Equal(
            ("access_denied", "not today"),
            (status.GetProperty("status").GetString(), status.GetProperty("reason").GetString())
        );
        await (await ExchangeAsync(_broker.Agent(), id)).ReadProblemAsync("CB3003");
    }

    [Fact]
    public async Task What_was_approved_outlives_the_broker()
    {
        var (id, digest) = Named(await AskAsync());
        await ApproveAsync(id, digest, Lead("ann"));
        await _broker.RestartAsync(Groups);
        Assert.Equal("approved", await StatusAsync(id));
        Assert.Equal(HttpStatusCode.Created, (await ExchangeAsync(_broker.Agent(), id)).StatusCode);
    }

    [Fact]
    public async Task A_wait_is_a_duration()
    {
        var (id, _) = Named(await AskAsync());
        foreach (var wait in new[] { "0s", "-1s", "x", "1.5s" })
        {
            await (
                await _broker.SendAsync(HttpMethod.Get, $"/v1/requests/{id}?wait={wait}", _broker.Agent())
            ).ReadProblemAsync("CB6003");
        }
    }

    [Fact]
    public async Task A_limit_that_has_people_decide_names_itself_to_them()
    {
        await File.WriteAllTextAsync(
            _broker.PolicyFile,
            TestPolicy.Text
                + "\nlimits:\n  - { id: one, per: workload, maxActive: 1, "
                + "onBreach: { challenge: { approvers: [\"group:leads\"], expiresAfter: 30m } } }\n"
        );
        await _broker.RestartAsync(Groups);
        Assert.Equal(HttpStatusCode.Created, (await ExchangeAsync(_broker.Agent())).StatusCode);

        var (id, digest) = Named(await AskAsync());
        var seen = await ReadAsync(HttpMethod.Get, $"/v1/approvals/{id}", Lead("ann"));
        Assert.Empty(seen.GetProperty("rules").EnumerateArray());
        var demand = Assert.Single(seen.GetProperty("demands").EnumerateArray());
        Assert.Equal("one", demand.GetProperty("limitId").GetString());
        Assert.Equal("limit one: 1 active, per workload", demand.GetProperty("limitSays").GetString());
        Assert.False(demand.TryGetProperty("ruleId", out _));
        Assert.Equal(HttpStatusCode.OK, (await ApproveAsync(id, digest, Lead("ann"))).StatusCode);

        Assert.Equal(HttpStatusCode.Created, (await ExchangeAsync(_broker.Agent(), id)).StatusCode);
        await (await ExchangeAsync(_broker.Agent(), id)).ReadProblemAsync("CB3005");
        Assert.NotEqual(id, Named(await AskAsync()).Id);
    }

    private static (string Id, string Digest) Named(JsonElement asked) =>
        (asked.GetProperty("approvalId").GetString()!, asked.GetProperty("digest").GetString()!);

    private string Lead(string name) => Person(name, ["approver"], "leads");

    private string Person(string name, string[] roles, params string[] groups) =>
        _broker.People.Token(name, claims => (claims["roles"], claims["groups"]) = (roles, groups));

    private async Task<JsonElement> AskAsync()
    {
        using var response = await ExchangeAsync(_broker.Agent());
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }

    private Task<HttpResponseMessage> ExchangeAsync(string token, string? approvalId = null)
    {
        var body = JsonNode.Parse(Body)!.AsObject();
        if (approvalId is not null)
        {
            body["approvalId"] = approvalId;
        }

        return _broker.SendAsync(HttpMethod.Post, "/v1/credentials", token, Api.Json(body.ToJsonString()));
    }

    private Task<HttpResponseMessage> ApproveAsync(string id, string digest, string token) =>
        _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{id}/approve",
            token,
            Api.Json($$"""{"digest":"{{digest}}"}""")
        );

    private async Task<string?> StatusAsync(string id, string query = "") =>
        (await ReadAsync(HttpMethod.Get, $"/v1/requests/{id}{query}", _broker.Agent()))
            .GetProperty("status")
            .GetString();

    private async Task<JsonElement> ReadAsync(HttpMethod method, string path, string token, string? body = null)
    {
        using var response = await _broker.SendAsync(method, path, token, body is null ? null : Api.Json(body));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }
}
