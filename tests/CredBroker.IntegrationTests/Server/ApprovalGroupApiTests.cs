using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

/// <summary>Groups of requests and escalation over the wire: what people see, and what they cannot get past.</summary>
public sealed class ApprovalGroupApiTests
{
    private const string Shown = """
        { approvers: ["group:leads"], expiresAfter: 30m, show: [{ label: Amount, path: toolCall.arguments.amount }] }
        """;

    [Fact]
    public async Task A_card_shows_what_all_share_once_and_of_each_what_differs()
    {
        await using var broker = await TestBroker.StartAsync(
            ApprovalDesk.Settings(),
            ApprovalDesk.Policy(Shown.Trim())
        );
        var desk = new ApprovalDesk(broker);
        var first = await desk.AskAsync(body: Body("t-1", 10));
        var second = await desk.AskAsync(body: Body("t-2", 20));
        var alone = await desk.AskAsync(body: Body("t-3", 20, "shared-key"));

        var list = await ReadAsync(broker, "/v1/approvals?grouped=true");

        Assert.Equal(
            [alone.Id],
            list.GetProperty("approvals").EnumerateArray().Select(one => one.GetProperty("approvalId").GetString())
        );
        var card = Assert.Single(list.GetProperty("groups").EnumerateArray());
        Assert.Equal(
            ("invoice-triage", "billing-readonly", "pay"),
            (
                card.GetProperty("process").GetString(),
                card.GetProperty("credential").GetString(),
                card.GetProperty("tool").GetString()
            )
        );
        Assert.Equal(
            ["task", "arguments"],
            card.GetProperty("differs").EnumerateArray().Select(name => name.GetString())
        );
        Assert.Equal(
            [(first.Id, first.Digest, "10"), (second.Id, second.Digest, "20")],
            card.GetProperty("requests")
                .EnumerateArray()
                .Select(request =>
                    (
                        request.GetProperty("approvalId").GetString(),
                        request.GetProperty("digest").GetString(),
                        request.GetProperty("statements").GetProperty("arguments")[0].GetProperty("text").GetString()
                    )
                )
        );
        Assert.False((await ReadAsync(broker, "/v1/approvals")).TryGetProperty("groups", out _));
        using var wrong = await broker.SendAsync(HttpMethod.Get, "/v1/approvals?grouped=yes", desk.Lead());
        await wrong.ReadProblemAsync("CB6003");

        using var said = await SayAsync(desk, "approve", [first, second]);
        var decided = await said.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(
            ["approved", "approved"],
            decided.GetProperty("approvals").EnumerateArray().Select(one => one.GetProperty("state").GetString())
        );
        Assert.All(
            await desk.EventsAsync("approval.agreed"),
            agreed =>
                Assert.Equal(
                    card.GetProperty("digest").GetString(),
                    agreed.GetProperty("details").GetProperty("group").GetProperty("digest").GetString()
                )
        );
        await desk.RedeemsAsync(first.Id, body: Body("t-1", 10));
        await desk.RedeemsAsync(second.Id, body: Body("t-2", 20));
        // One click, one decision.
        var you = (await ReadAsync(broker, "/v1/approvals")).GetProperty("you");
        Assert.Equal(1, you.GetProperty("decisions").GetInt32());
    }

    [Fact]
    public async Task What_cannot_be_undone_is_refused_in_a_group_whatever_the_client_sends()
    {
        await using var broker = await TestBroker.StartAsync(
            ApprovalDesk.Settings(),
            ApprovalDesk.Replace(
                ApprovalDesk.Policy(),
                (
                    "role: cb-test-billing-readonly }\n    access: read\n    impact: low\n    reversible: true",
                    "role: cb-test-billing-readonly }\n    access: read\n    impact: low\n    reversible: false"
                )
            )
        );
        var desk = new ApprovalDesk(broker);
        var (one, two) = (await desk.AskAsync(body: Body("t-1", 10)), await desk.AskAsync(body: Body("t-2", 10)));

        Assert.Empty((await ReadAsync(broker, "/v1/approvals?grouped=true")).GetProperty("groups").EnumerateArray());
        foreach (var verb in (string[])["approve", "deny"])
        {
            using var said = await SayAsync(desk, verb, [one, two]);
            var problem = await said.ReadProblemAsync("CB3031");
            Assert.Contains(one.Id, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal("pending", await desk.FindStateAsync(one.Id));
        Assert.Equal("pending", await desk.FindStateAsync(two.Id));
    }

    [Fact]
    public async Task A_group_with_one_that_is_wrong_is_refused_as_a_whole_and_on_record()
    {
        await using var broker = await TestBroker.StartAsync(ApprovalDesk.Settings(), ApprovalDesk.Policy());
        var desk = new ApprovalDesk(broker);
        var (one, two) = (await desk.AskAsync(body: Body("t-1", 10)), await desk.AskAsync(body: Body("t-2", 10)));
        var other = await desk.AskAsync(body: Body("t-3", 10, "shared-key"));
        var many = Enumerable.Range(0, 51).Select(number => ($"{number:x32}", one.Digest)).ToArray();
        ((string Id, string Digest)[] Named, string Code)[] attempts =
        [
            ([one, (two.Id, one.Digest)], "CB3011"),
            ([one, two, other], "CB3032"),
            ([one, two, one], "CB6003"),
            ([one, (new string('0', 32), two.Digest)], "CB3001"),
            (many, "CB6003"),
            ([], "CB6003"),
        ];
        foreach (var (named, code) in attempts)
        {
            using var said = await SayAsync(desk, "approve", named);
            await said.ReadProblemAsync(code);
        }

        foreach (
            var (body, code) in ((string, string)[])
                [
                    ("""{"requests":[null]}""", "CB6003"),
                    ("""{"requests":null}""", "CB6001"),
                    ("{}", "CB6001"),
                    ("""{"requests":[{"approvalId":"a"}]}""", "CB6001"),
                    ("""{"requests":[{"approvalId":"a","digest":"b","also":1}]}""", "CB6001"),
                ]
        )
        {
            using var said = await broker.SendAsync(
                HttpMethod.Post,
                "/v1/approvals/approve",
                desk.Lead(),
                Api.Json(body)
            );
            await said.ReadProblemAsync(code);
        }

        using (var said = await SayAsync(desk, "approve", [one, two], broker.Agent()))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, said.StatusCode);
        }

        using (var said = await SayAsync(desk, "approve", [one, two], broker.Person("auditor")))
        {
            await said.ReadProblemAsync("CB7001");
        }

        Assert.Empty(await desk.EventsAsync("approval.agreed"));
        using (var said = await SayAsync(desk, "deny", [one, two]))
        {
            await said.ReadAsync(HttpStatusCode.OK);
        }

        Assert.Equal("denied", await desk.FindStateAsync(one.Id));
    }

    [Fact]
    public async Task Who_is_asked_later_hears_of_it_when_it_is_so_and_it_says_when_that_is()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await TestBroker.StartAsync(
            ApprovalDesk.Settings(),
            ApprovalDesk.Policy(
                """{ approvers: ["group:leads"], expiresAfter: 30m, escalate: { after: 10m, to: ["group:heads"] } }"""
            ),
            replace: services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock))
        );
        var desk = new ApprovalDesk(broker);
        var asked = await desk.AskAsync();
        var later = (await desk.FindAsync(asked.Id)).GetProperty("demands")[0].GetProperty("escalation");
        Assert.Equal(
            ("10m", "heads"),
            (later.GetProperty("after").GetString(), later.GetProperty("to")[0].GetProperty("name").GetString())
        );
        Assert.Equal(
            TimeSpan.FromMinutes(20),
            (await desk.FindAsync(asked.Id)).GetProperty("expiresAt").GetDateTimeOffset()
                - later.GetProperty("at").GetDateTimeOffset()
        );
        using (var said = await desk.AgreeAsync(asked, Head(broker)))
        {
            await said.ReadProblemAsync("CB3001");
        }

        clock.Advance(TimeSpan.FromMinutes(10));
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                return (await desk.EventsAsync("approval.escalated")).Count == 1;
            },
            "the escalation is on record"
        );
        using (var said = await desk.AgreeAsync(asked, Head(broker)))
        {
            Assert.Equal("approved", (await said.ReadAsync(HttpStatusCode.OK)).GetProperty("state").GetString());
        }
    }

    private static string Head(TestBroker broker) =>
        broker.People.Token(
            "eve",
            claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, new[] { "heads" })
        );

    private static JsonObject Body(string task, int amount, string credential = "billing-readonly")
    {
        var body = ApprovalDesk.Body();
        body["task"]!["id"] = task;
        body["toolCall"]!["arguments"]!["amount"] = amount;
        body["credential"] = credential;
        return body;
    }

    private static Task<HttpResponseMessage> SayAsync(
        ApprovalDesk desk,
        string verb,
        (string Id, string Digest)[] named,
        string? token = null
    ) =>
        desk.Broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{verb}",
            token ?? desk.Lead(),
            Api.Json(Said(verb, named).ToJsonString())
        );

    private static JsonObject Said(string verb, (string Id, string Digest)[] named)
    {
        var body = new JsonObject
        {
            ["requests"] = new JsonArray([
                .. named.Select(one => new JsonObject { ["approvalId"] = one.Id, ["digest"] = one.Digest }),
            ]),
        };
        if (verb == "deny")
        {
            body["reason"] = "no";
        }

        return body;
    }

    private static async Task<JsonElement> ReadAsync(TestBroker broker, string path)
    {
        using var response = await broker.SendAsync(HttpMethod.Get, path, new ApprovalDesk(broker).Lead());
        return await response.ReadAsync(HttpStatusCode.OK);
    }
}
