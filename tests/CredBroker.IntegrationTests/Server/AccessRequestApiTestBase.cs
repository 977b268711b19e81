using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// The AuthZEN Access Request and Approval Profile 1.0, Draft 1, over the wire. The table of its MUSTs in
/// <c>.github/docs/authzen.md</c> names the tests that are built on this.
/// </summary>
public abstract class AccessRequestApiTestBase : IAsyncLifetime
{
    private protected const string Path = "/access/v1/requests";
    private protected const string Evaluation = "/access/v1/evaluation";
    private protected const string Type = "urn:openid:authzen:access-request:error:";
    private protected static readonly Dictionary<string, string?> Groups = new()
    {
        ["Identity:Issuers:1:GroupsClaim"] = "groups",
    };
    private protected TestBroker _broker = null!;

    public async ValueTask InitializeAsync() =>
        _broker = await TestBroker.StartAsync(
            Groups,
            TestPolicy.Text.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
                StringComparison.Ordinal
            )
        );

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static JsonObject Question(string? properties = null)
    {
        var question = JsonNode
            .Parse(
                """
                {"subject":{"type":"agent","id":"triage-i-1"},"action":{"name":"read"},
                 "resource":{"type":"billing-readonly","id":"invoice-7"},
                 "context":{"process":"invoice-triage","task":"t-1","purpose":"pay invoice 7"}}
                """
            )!
            .AsObject();
        if (properties is not null)
        {
            question["action"]!["properties"] = JsonNode.Parse(properties);
        }

        return question;
    }

    private protected static JsonObject Submission(JsonElement denied, JsonObject? question = null)
    {
        var context = denied.GetProperty("context");
        var body = (question ?? Question()).DeepClone().AsObject();
        body["denial"] = new JsonObject
        {
            ["evaluation_id"] = context.GetProperty("evaluation_id").GetString(),
            ["evaluated_at"] = context.GetProperty("evaluated_at").GetString(),
            ["expires_at"] = context.GetProperty("access_request").GetProperty("expires_at").GetString(),
            ["reason"] = context.GetProperty("reason").GetString(),
        };
        return body;
    }

    private protected static string TaskId(JsonElement answer) =>
        answer.GetProperty("task").GetProperty("id").GetString()!;

    private protected string Person(string name, string[] roles, params string[] groups) =>
        _broker.People.Token(name, claims => (claims["roles"], claims["groups"]) = (roles, groups));

    private protected async Task<JsonElement> EvaluateAsync(JsonObject question, string? token = null)
    {
        using var response = await PostAsync(Evaluation, question.ToJsonString(), token ?? _broker.Agent());
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private protected async Task<(JsonElement Answer, string? Location)> SubmitAsync(
        JsonObject body,
        string? key = null
    )
    {
        using var response = await PostAsync(Path, body.ToJsonString(), _broker.Agent(), key);
        return (await response.ReadAsync(HttpStatusCode.Accepted), response.Headers.Location?.ToString());
    }

    private protected static async Task ProblemAsync(HttpResponseMessage response, HttpStatusCode status, string type)
    {
        var problem = await response.ReadAsync(status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(Type + type, problem.GetProperty("type").GetString());
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
    }

    private protected async Task<string[]> OpenAsync()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Get,
            "/v1/approvals",
            Person("ann", ["approver"], "leads")
        );
        return
        [
            .. (await response.ReadAsync(HttpStatusCode.OK))
                .GetProperty("approvals")
                .EnumerateArray()
                .Select(approval => approval.GetProperty("approvalId").GetString()!),
        ];
    }

    private protected Task<HttpResponseMessage> PostAsync(string path, string body) =>
        PostAsync(path, body, _broker.Agent());

    private protected Task<HttpResponseMessage> PostAsync(string path, string body, string? token, string? key = null)
    {
        var content = Api.Json(body);
        if (key is not null)
        {
            // A header of the request that the client keeps with its content.
            content.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        return _broker.SendAsync(HttpMethod.Post, path, token, content);
    }
}
