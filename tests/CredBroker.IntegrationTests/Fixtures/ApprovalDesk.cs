using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.State;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>A broker's challenges over the wire: as agents ask and redeem, people decide, and auditors read.</summary>
internal sealed class ApprovalDesk(TestBroker broker)
{
    public const string OneLead = """{ approvers: ["group:leads"], expiresAfter: 30m }""";

    /// <summary>The agent <c>helper</c> redeems, and not the one that asked.</summary>
    public const string LeftToHelper = """{ approvers: ["group:leads"], expiresAfter: 30m, executor: helper }""";

    public const string ToolCall = """{"name":"pay","arguments":{"amount":10,"to":"DE1"}}""";

    public TestBroker Broker => broker;

    /// <summary>The settings that such a broker has beside the usual ones.</summary>
    public static Dictionary<string, string?> Settings(params (string Name, string? Value)[] more)
    {
        var settings = new Dictionary<string, string?> { ["Identity:Issuers:1:GroupsClaim"] = "groups" };
        foreach (var (name, value) in more)
        {
            settings[name] = value;
        }

        return settings;
    }

    /// <summary>The test policy, whose rule asks people, with another agent for executors.</summary>
    public static string Policy(string approval = OneLead) =>
        Replace(
            TestPolicy.Text,
            ("effect: allow", $"effect: challenge\n    approval: {approval}"),
            ("agents: [triage]", "agents: [triage, helper]"),
            (
                "  stranger: {",
                "  helper: { member: 'identity.issuer == \"https://workloads.test\" && identity.workload == \"helper\"' }\n"
                    + "  stranger: {"
            )
        );

    /// <summary>The text with each of these changed, which it must hold.</summary>
    public static string Replace(string text, params (string Old, string New)[] changes)
    {
        foreach (var (old, changed) in changes)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            text = text.Replace(old, changed, StringComparison.Ordinal);
        }

        return text;
    }

    /// <summary>What is asked for: a tool call on one credential.</summary>
    public static JsonObject Body() =>
        JsonNode
            .Parse(
                $$"""
                {"task":{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 7"},"credential":"billing-readonly",
                 "actions":["read"],"toolCall":{{ToolCall}}}
                """
            )!
            .AsObject();

    public static JsonObject With(string member, string json)
    {
        var body = Body();
        body[member] = JsonNode.Parse(json);
        return body;
    }

    /// <summary>The token of a person who may decide.</summary>
    public string Lead(string name = "ann") =>
        broker.People.Token(
            name,
            claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, new[] { "leads" })
        );

    public Task<HttpResponseMessage> ExchangeAsync(string token, string? approvalId = null, JsonObject? body = null)
    {
        var sent = body?.DeepClone().AsObject() ?? Body();
        if (approvalId is not null)
        {
            sent["approvalId"] = approvalId;
        }

        return broker.SendAsync(HttpMethod.Post, "/v1/credentials", token, Api.Json(sent.ToJsonString()));
    }

    public async Task<(string Id, string Digest)> AskAsync(string? token = null, JsonObject? body = null)
    {
        using var response = await ExchangeAsync(token ?? broker.Agent(), body: body);
        var asked = await response.ReadAsync(HttpStatusCode.Accepted);
        return (asked.GetProperty("approvalId").GetString()!, asked.GetProperty("digest").GetString()!);
    }

    public Task<HttpResponseMessage> AgreeAsync((string Id, string Digest) asked, string? token = null) =>
        broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{asked.Id}/approve",
            token ?? Lead(),
            Api.Json($$"""{"digest":"{{asked.Digest}}"}""")
        );

    /// <summary>Asked, and approved by one who may: the reference.</summary>
    public async Task<string> ApprovedAsync(string? token = null, JsonObject? body = null)
    {
        var asked = await AskAsync(token, body);
        using var said = await AgreeAsync(asked);
        Assert.Equal("approved", (await said.ReadAsync(HttpStatusCode.OK)).GetProperty("state").GetString());
        return asked.Id;
    }

    public async Task RedeemsAsync(string approvalId, string? token = null, JsonObject? body = null)
    {
        using var redeemed = await ExchangeAsync(token ?? broker.Agent(), approvalId, body);
        await redeemed.ReadAsync(HttpStatusCode.Created);
    }

    public async Task<JsonElement> FindAsync(string approvalId)
    {
        using var found = await broker.SendAsync(HttpMethod.Get, $"/v1/approvals/{approvalId}", Lead());
        return await found.ReadAsync(HttpStatusCode.OK);
    }

    /// <summary>Where it stands, as the store says whether or not this policy still lets anybody see it.</summary>
    public async Task<string> FindStateAsync(string approvalId) =>
        (await broker.Services.GetRequiredService<IBrokerStore>().Approvals.FindAsync(approvalId, default))!
            .State.ToString()
            .ToLowerInvariant();

    /// <summary>
    /// The redemption was refused with one of these codes, which is on record as a denial of that caller, and no secret
    /// was made beyond those that there were.
    /// </summary>
    public async Task<string> RefusedAsync(HttpResponseMessage response, int minted, params string[] codes)
    {
        using (response)
        {
            var text = JsonElement.Parse(await response.Content.ReadAsStringAsync());
            var code = text.TryGetProperty("code", out var said) ? said.GetString()! : "none";
            Assert.Contains(code, codes);
            await response.ReadProblemAsync(code);
            Assert.Contains(
                await EventsAsync("request.denied"),
                denied => denied.GetProperty("reason").GetString() == code
            );
            Assert.Equal(minted, broker.Vault.Minted);
            return code;
        }
    }

    /// <summary>Every record of this type, in order.</summary>
    public async Task<IReadOnlyList<JsonElement>> EventsAsync(string? type = null)
    {
        using var export = await broker.SendAsync(HttpMethod.Get, "/v1/audit/export", broker.Person("auditor"));
        Assert.Equal(HttpStatusCode.OK, export.StatusCode);
        return
        [
            .. (await export.Content.ReadAsStringAsync())
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line))
                .Where(record => type is null || record.GetProperty("type").GetString() == type),
        ];
    }
}
