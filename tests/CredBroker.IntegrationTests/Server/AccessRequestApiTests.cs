using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.PolicyVersions;
using CredBroker.IntegrationTests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// The AuthZEN Access Request and Approval Profile 1.0, Draft 1, over the wire. The table of its MUSTs in
/// <c>.github/docs/authzen.md</c> names these tests.
/// </summary>
public sealed class AccessRequestApiTests : IAsyncLifetime
{
    private const string Path = "/access/v1/requests";
    private const string Evaluation = "/access/v1/evaluation";
    private const string Type = "urn:openid:authzen:access-request:error:";
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
    public async Task Denied_requested_approved_evaluated_again_and_then_issued_once()
    {
        var denied = await EvaluateAsync(Question());
        var (submitted, location) = await SubmitAsync(Submission(denied));
        var task = submitted.GetProperty("task");
        var id = task.GetProperty("id").GetString()!;
        Assert.Equal("pending", task.GetProperty("status").GetString());
        Assert.Equal(location, task.GetProperty("status_endpoint").GetString());
        Assert.Equal($"{location}/cancel", task.GetProperty("links").GetProperty("cancel").GetString());
        Assert.False(submitted.TryGetProperty("result", out _));

        using (var look = await _broker.SendAsync(HttpMethod.Get, $"{Path}/{id}", _broker.Agent()))
        {
            Assert.Equal("pending", Status(await look.ReadAsync(HttpStatusCode.OK)));
            Assert.Equal(TimeSpan.FromSeconds(5), look.Headers.RetryAfter?.Delta);
        }

        await ApproveAsync(id);
        var done = await FindAsync(id);
        Assert.Equal("approved", Status(done));
        Assert.Equal("reevaluate", done.GetProperty("result").GetProperty("mode").GetString());
        var approval = done.GetProperty("result").GetProperty("approval");
        Assert.Equal(task.GetProperty("expires_at").GetString(), approval.GetProperty("approved_until").GetString());

        // The approval is no access by itself: the same question without it is denied, with it allowed, as often as asked.
        Assert.False((await EvaluateAsync(Question())).GetProperty("decision").GetBoolean());
        for (var i = 0; i < 2; i++)
        {
            var again = await EvaluateAsync(With(Question(), approval));
            Assert.True(again.GetProperty("decision").GetBoolean());
            Assert.Equal(id, again.GetProperty("context").GetProperty("approval").GetProperty("id").GetString());
        }

        Assert.Empty(_broker.Vault.Live);
        var exchange = $$"""
            {"task":{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 7"},"credential":"billing-readonly",
             "actions":["read"],"resource":"invoice-7","approvalId":"{{id}}"}
            """;
        using (var issued = await PostAsync("/v1/credentials", exchange))
        {
            Assert.Equal(HttpStatusCode.Created, issued.StatusCode);
        }

        // Replay: used up.
        var replayed = (await EvaluateAsync(With(Question(), approval))).GetProperty("context");
        Assert.Equal("approval_expired", replayed.GetProperty("reason").GetString());
        Assert.Equal("request", replayed.GetProperty("next_action").GetString());
        Assert.True(replayed.TryGetProperty("access_request", out _));
        using var second = await PostAsync("/v1/credentials", exchange);
        await second.ReadProblemAsync("CB3005");
        Assert.Equal("approved", Status(await FindAsync(id)));
        Assert.Single(_broker.Vault.Live);
    }

    [Fact]
    public async Task A_denial_stays_a_denial()
    {
        var denied = await EvaluateAsync(Question());
        Assert.False(denied.GetProperty("decision").GetBoolean());
        var context = denied.GetProperty("context");
        Assert.Equal("approval_required", context.GetProperty("reason").GetString());
        Assert.Equal(32, context.GetProperty("evaluation_id").GetString()!.Length);
        var ends = context.GetProperty("access_request").GetProperty("expires_at").GetDateTimeOffset();
        Assert.Equal(ends - context.GetProperty("evaluated_at").GetDateTimeOffset(), TimeSpan.FromMinutes(5));

        // Each denial has a name of its own.
        var second = (await EvaluateAsync(Question())).GetProperty("context").GetProperty("evaluation_id").GetString();
        Assert.NotEqual(context.GetProperty("evaluation_id").GetString(), second);

        await SubmitAsync(Submission(denied));
        Assert.False((await EvaluateAsync(Question())).GetProperty("decision").GetBoolean());
        Assert.Empty(_broker.Vault.Live);
    }

    [Fact]
    public async Task What_people_cannot_be_asked_about_is_not_requestable()
    {
        // Denied by policy; without what an exchange needs; a person's question; one of several.
        var denied = Question();
        denied["resource"]!["type"] = "no-such-credential";
        var noTask = Question();
        noTask["context"]!.AsObject().Remove("task");
        foreach (var question in new[] { denied, noTask })
        {
            var context = (await EvaluateAsync(question)).GetProperty("context");
            Assert.False(context.TryGetProperty("access_request", out _));
            Assert.False(context.TryGetProperty("evaluation_id", out _));
        }

        var person = Question();
        person["subject"]!["properties"] = JsonNode.Parse(
            """{"issuer":"https://workloads.test","workload":"triage","instance":"i-1"}"""
        );
        var asked = await EvaluateAsync(person, _broker.Person("viewer"));
        Assert.False(asked.GetProperty("context").TryGetProperty("access_request", out _));

        var several = new JsonObject { ["evaluations"] = new JsonArray(Question()) };
        using var batch = await PostAsync("/access/v1/evaluations", several.ToJsonString());
        Assert.False(
            (await batch.ReadAsync(HttpStatusCode.OK))
                .GetProperty("evaluations")[0]
                .GetProperty("context")
                .TryGetProperty("access_request", out _)
        );
    }

    [Fact]
    public async Task Without_binding_nothing_is_submitted()
    {
        var evaluation = await EvaluateAsync(Question());
        string[] dropped = ["denial", "evaluation_id", "expires_at"];
        foreach (var member in dropped)
        {
            var body = Submission(evaluation);
            (member == "denial" ? body : body["denial"]!.AsObject()).Remove(member);
            await RefusedAsync(body, HttpStatusCode.BadRequest, "invalid_denial_binding");
        }

        var forged = Submission(evaluation);
        forged["denial"]!["evaluation_id"] = new string('0', 32);
        await RefusedAsync(forged, HttpStatusCode.BadRequest, "invalid_denial_binding");
        var later = Submission(evaluation);
        later["denial"]!["expires_at"] = "2999-01-01T00:00:00Z";
        await RefusedAsync(later, HttpStatusCode.BadRequest, "invalid_denial_binding");
        var token = Submission(evaluation);
        token["denial"]!["binding_token"] = "eyJhbGciOiJub25lIn0.e30.";
        await RefusedAsync(token, HttpStatusCode.BadRequest, "invalid_denial_binding");
        Assert.Empty(await OpenAsync());
    }

    [Fact]
    public async Task Nothing_else_is_submitted_for_a_denial_than_what_was_denied()
    {
        var evaluation = await EvaluateAsync(Question(properties: """{"amount":1}"""));
        Action<JsonObject>[] swaps =
        [
            body => body["resource"]!["id"] = "invoice-8",
            body => body["resource"]!["type"] = "vault-token",
            body => body["resource"]!["properties"] = JsonNode.Parse("""{"a":null}"""),
            body => body["action"]!["name"] = "summarise",
            body => body["action"]!["properties"] = JsonNode.Parse("""{"amount":2}"""),
            body => body["action"]!["properties"] = JsonNode.Parse("""{"amount":"1"}"""),
            body => body["action"]!["properties"] = JsonNode.Parse("""{"amount":1,"more":null}"""),
            body => body["action"]!.AsObject().Remove("properties"),
            body => body["context"]!["task"] = "t-2",
            body => body["context"]!["purpose"] = "pay invoice 8",
            body => body["subject"]!["properties"] = JsonNode.Parse("""{"a":1}"""),
        ];
        foreach (var swap in swaps)
        {
            var body = Submission(evaluation, Question(properties: """{"amount":1}"""));
            swap(body);
            await RefusedAsync(body, HttpStatusCode.BadRequest, "invalid_denial_binding");
        }

        Assert.Empty(await OpenAsync());
    }

    [Fact]
    public async Task What_says_the_same_in_another_spelling_is_the_same()
    {
        var evaluation = await EvaluateAsync(Question(properties: """{"amount":1,"to":"é","list":[1,2]}"""));
        var same = Question(properties: """{"list":[1.0,2e0],"to":"\u00e9","amount":1.0}""");
        same["context"]!["business_justification"] = "more is ignored";
        await SubmitAsync(Submission(evaluation, same));

        // The actor is no part of the subject that is bound: a caller may name it elsewhere.
        var acting = Question();
        acting["subject"]!["properties"] = JsonNode.Parse("""{"act":{"sub":"x"},"tier":1}""");
        var moved = Question();
        moved["subject"]!["properties"] = JsonNode.Parse("""{"tier":1}""");
        await SubmitAsync(Submission(await EvaluateAsync(acting), moved));
    }

    [Fact]
    public async Task A_denial_is_its_callers_alone()
    {
        var evaluation = await EvaluateAsync(Question());
        var sibling = Submission(evaluation);
        sibling["subject"]!["id"] = "triage-i-2";
        await RefusedAsync(sibling, HttpStatusCode.BadRequest, "invalid_denial_binding", _broker.Agent("i-2"));
        using var other = await PostAsync(Path, Submission(evaluation).ToJsonString(), _broker.Agent("i-2"));
        await other.ReadProblemAsync("CB7001");
        using var nobody = await PostAsync(Path, Submission(evaluation).ToJsonString(), token: null);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
        Assert.StartsWith("Bearer", nobody.Headers.WwwAuthenticate.Single().ToString(), StringComparison.Ordinal);
        using var person = await PostAsync(Path, Submission(evaluation).ToJsonString(), _broker.Person("admin"));
        Assert.Equal(HttpStatusCode.Unauthorized, person.StatusCode);
    }

    [Fact]
    public async Task A_denial_is_good_for_one_request()
    {
        var evaluation = await EvaluateAsync(Question());
        await SubmitAsync(Submission(evaluation));
        await RefusedAsync(Submission(evaluation), HttpStatusCode.BadRequest, "invalid_denial_binding");

        // Another denial of the same finds the question that is open.
        var (first, second) = (await OpenAsync(), await EvaluateAsync(Question()));
        var (again, _) = await SubmitAsync(Submission(second));
        Assert.Equal(first.Single(), again.GetProperty("task").GetProperty("id").GetString());
        Assert.Equal(first, await OpenAsync());
        await RefusedAsync(Submission(second), HttpStatusCode.BadRequest, "invalid_denial_binding");
    }

    [Fact]
    public async Task The_same_key_is_the_same_task_and_with_another_body_refused()
    {
        var evaluation = await EvaluateAsync(Question());
        var (first, _) = await SubmitAsync(Submission(evaluation), key: "key-1");
        var (again, _) = await SubmitAsync(Submission(evaluation), key: "key-1");
        Assert.Equal(TaskId(first), TaskId(again));

        var more = Submission(evaluation);
        more["requested_access"] = JsonNode.Parse("""{"emergency":true}""");
        await RefusedAsync(more, HttpStatusCode.Conflict, "duplicate_request", key: "key-1");
        var other = Submission(await EvaluateAsync(Question()));
        await RefusedAsync(other, HttpStatusCode.Conflict, "duplicate_request", key: "key-1");

        // It is the caller's own: another's is another.
        var theirs = Question();
        theirs["subject"]!["id"] = "triage-i-2";
        theirs["context"]!["task"] = "t-9";
        var elsewhere = await EvaluateAsync(theirs, _broker.Agent("i-2"));
        using var free = await PostAsync(
            Path,
            Submission(elsewhere, theirs).ToJsonString(),
            _broker.Agent("i-2"),
            "key-1"
        );
        Assert.NotEqual(TaskId(first), TaskId(await free.ReadAsync(HttpStatusCode.Accepted)));
    }

    [Fact]
    public async Task Submitted_many_times_at_once_it_is_one_question()
    {
        var evaluation = await EvaluateAsync(Question());
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(_ => PostAsync(Path, Submission(evaluation).ToJsonString()))
        );
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Accepted);
        Assert.Single(await OpenAsync());
    }

    [Fact]
    public async Task An_expired_denial_is_refused_as_such()
    {
        var body = Submission(await EvaluateAsync(Question()));
        body["denial"]!["expires_at"] = "2020-01-01T00:00:00Z";
        await RefusedAsync(body, HttpStatusCode.Gone, "expired_denial");
    }

    [Fact]
    public async Task Another_policy_leaves_its_denials_behind()
    {
        var evaluation = await EvaluateAsync(Question());
        await File.AppendAllTextAsync(_broker.PolicyFile, "\n# another version\n");
        await _broker.Services.GetRequiredService<PolicyControl>().RefreshAsync(TestContext.Current.CancellationToken);
        await RefusedAsync(Submission(evaluation), HttpStatusCode.BadRequest, "invalid_denial_binding");
    }

    [Fact]
    public async Task Several_items_are_refused_and_nobody_is_called_whom_no_setting_names()
    {
        var evaluation = await EvaluateAsync(Question());
        var callback = Submission(evaluation);
        callback["callback"] = JsonNode.Parse("""{"endpoint":"http://169.254.169.254/"}""");
        using (var refused = await PostAsync(Path, callback.ToJsonString()))
        {
            var problem = await refused.ReadProblemAsync("CB6003");
            Assert.Contains("callback", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        var items = Submission(evaluation);
        items["items"] = new JsonArray();
        using var several = await PostAsync(Path, items.ToJsonString());
        await several.ReadProblemAsync("CB6003");
        Assert.Empty(await OpenAsync());
    }

    [Theory]
    [InlineData("""{"id":"somebody"}""", false)]
    [InlineData("""{"id":"triage-i-1","issuer":"https://elsewhere.test"}""", false)]
    [InlineData("""{"id":"triage-i-1","act":{"sub":"alice","iss":"https://people.test"}}""", false)]
    [InlineData("""{"id":"triage-i-1","issuer":"https://workloads.test"}""", true)]
    public async Task An_actor_that_the_token_does_not_prove_is_refused(string actor, bool isTaken)
    {
        var body = Submission(await EvaluateAsync(Question()));
        body["client"] = new JsonObject { ["actor"] = JsonNode.Parse(actor) };
        using var response = await PostAsync(Path, body.ToJsonString());
        Assert.Equal(isTaken ? HttpStatusCode.Accepted : HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_task_is_seen_and_cancelled_by_who_submitted_it_alone()
    {
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        var id = TaskId(submitted);
        foreach (var other in new[] { _broker.Agent("i-2"), _broker.Workload("stranger") })
        {
            using var look = await _broker.SendAsync(HttpMethod.Get, $"{Path}/{id}", other);
            await ProblemAsync(look, HttpStatusCode.NotFound, "unknown_task");
            using var cancel = await PostAsync($"{Path}/{id}/cancel", "{}", other);
            await ProblemAsync(cancel, HttpStatusCode.NotFound, "unknown_task");
        }

        using var person = await _broker.SendAsync(HttpMethod.Get, $"{Path}/{id}", _broker.Person("admin"));
        Assert.Equal(HttpStatusCode.Unauthorized, person.StatusCode);
        using var unknown = await _broker.SendAsync(HttpMethod.Get, $"{Path}/{new string('a', 32)}", _broker.Agent());
        await ProblemAsync(unknown, HttpStatusCode.NotFound, "unknown_task");
        Assert.Equal("pending", Status(await FindAsync(id)));
    }

    [Fact]
    public async Task What_is_pending_can_be_cancelled_and_what_is_decided_cannot()
    {
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        var id = TaskId(submitted);
        using (var cancelled = await PostAsync($"{Path}/{id}/cancel", """{"reason":"abandoned"}"""))
        {
            Assert.Equal("cancelled", Status(await cancelled.ReadAsync(HttpStatusCode.OK)));
        }

        Assert.Equal("cancelled", Status(await FindAsync(id)));
        Assert.Empty(await OpenAsync());
        using (var twice = await PostAsync($"{Path}/{id}/cancel", "{}"))
        {
            await ProblemAsync(twice, HttpStatusCode.Conflict, "invalid_task_state");
        }

        var (next, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        Assert.NotEqual(id, TaskId(next));
        await ApproveAsync(TaskId(next));
        using var late = await _broker.SendAsync(HttpMethod.Post, $"{Path}/{TaskId(next)}/cancel", _broker.Agent());
        await ProblemAsync(late, HttpStatusCode.Conflict, "invalid_task_state");
        Assert.Equal("approved", Status(await FindAsync(TaskId(next))));
    }

    [Fact]
    public async Task What_a_person_denied_is_denied_and_says_why()
    {
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        using var said = await PostAsync(
            $"/v1/approvals/{TaskId(submitted)}/deny",
            """{"reason":"not today"}""",
            Person("ann", ["approver"], "leads")
        );
        Assert.Equal(HttpStatusCode.OK, said.StatusCode);
        var found = await FindAsync(TaskId(submitted));
        Assert.Equal("denied", Status(found));
        Assert.Equal(
            "not today",
            found.GetProperty("task").GetProperty("display").GetProperty("description").GetString()
        );
        Assert.False(found.TryGetProperty("result", out _));
        var context = (await EvaluateAsync(With(Question(), TaskId(submitted)))).GetProperty("context");
        Assert.Equal("none", context.GetProperty("next_action").GetString());
        Assert.False(context.TryGetProperty("access_request", out _));
    }

    [Fact]
    public async Task Who_is_not_eligible_approves_nothing()
    {
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        var id = TaskId(submitted);
        var digest = await DigestAsync(id);
        var asAgent = _broker.Workloads.Token(
            "triage-i-1",
            claims => (claims["groups"], claims["roles"]) = (new[] { "leads" }, new[] { "approver" })
        );
        foreach (
            var ineligible in new[]
            {
                asAgent,
                Person("eve", ["approver"]),
                Person("eve", ["viewer"], "leads"),
                Person("eve", ["admin"], "leads"),
            }
        )
        {
            using var said = await PostAsync(
                $"/v1/approvals/{id}/approve",
                $$"""{"digest":"{{digest}}"}""",
                ineligible
            );
            Assert.False(said.IsSuccessStatusCode);
        }

        Assert.Equal("pending", Status(await FindAsync(id)));
        var pending = (await EvaluateAsync(With(Question(), id))).GetProperty("context");
        Assert.Equal("retry", pending.GetProperty("next_action").GetString());
        Assert.Equal(5, pending.GetProperty("retry_after").GetInt32());
    }

    [Fact]
    public async Task An_approval_applies_to_what_was_approved_and_to_nothing_else()
    {
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        var id = TaskId(submitted);
        await ApproveAsync(id);

        var another = Question();
        another["resource"]!["id"] = "invoice-8";
        var outside = (await EvaluateAsync(With(another, id))).GetProperty("context");
        Assert.Equal("out_of_scope", outside.GetProperty("reason").GetString());
        Assert.Equal("request", outside.GetProperty("next_action").GetString());
        Assert.True(outside.TryGetProperty("access_request", out _));

        // Another caller's; one that nobody gave; one with a state of somebody's own making.
        var theirs = Question();
        theirs["subject"]!["id"] = "triage-i-2";
        var stolen = await EvaluateAsync(With(theirs, id), _broker.Agent("i-2"));
        var invented = await EvaluateAsync(With(Question(), new string('b', 32)));
        var stated = Question();
        stated["context"]!["approval"] = new JsonObject { ["id"] = id, ["state"] = "eyJ" };
        foreach (var answer in new[] { stolen, invented, await EvaluateAsync(stated) })
        {
            Assert.False(answer.GetProperty("decision").GetBoolean());
            var context = answer.GetProperty("context");
            Assert.Equal("approval_unverifiable", context.GetProperty("reason").GetString());
            Assert.Equal("none", context.GetProperty("next_action").GetString());
        }

        // In a batch an approval counts for nothing.
        var several = new JsonObject { ["evaluations"] = new JsonArray(With(Question(), id)) };
        using var batch = await PostAsync("/access/v1/evaluations", several.ToJsonString());
        Assert.False(
            (await batch.ReadAsync(HttpStatusCode.OK))
                .GetProperty("evaluations")[0]
                .GetProperty("decision")
                .GetBoolean()
        );
    }

    [Fact]
    public async Task What_was_taken_back_applies_no_more()
    {
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        var id = TaskId(submitted);
        await ApproveAsync(id);
        using var order = await PostAsync(
            "/v1/revocations",
            """{"agent":"triage","reason":"look","allowNone":true}""",
            _broker.Person("admin")
        );
        Assert.Equal(HttpStatusCode.Accepted, order.StatusCode);
        var context = (await EvaluateAsync(With(Question(), id))).GetProperty("context");
        Assert.Equal("approval_expired", context.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_question_that_was_asked_by_an_exchange_is_the_same_task()
    {
        using var asked = await PostAsync(
            "/v1/credentials",
            """
            {"task":{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 7"},"credential":"billing-readonly",
             "actions":["read"],"resource":"invoice-7"}
            """
        );
        var id = (await asked.ReadAsync(HttpStatusCode.Accepted)).GetProperty("approvalId").GetString()!;
        Assert.Equal("pending", Status(await FindAsync(id)));
        var (submitted, _) = await SubmitAsync(Submission(await EvaluateAsync(Question())));
        Assert.Equal(id, TaskId(submitted));
    }

    [Fact]
    public async Task The_discovery_document_names_the_endpoint()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/.well-known/authzen-configuration", null);
        var document = await response.ReadAsync(HttpStatusCode.OK);
        var address = _broker.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        Assert.Equal($"{address}{Path}", document.GetProperty("access_request_endpoint").GetString());
        Assert.Equal(
            ["urn:openid:authzen:capability:access-request"],
            document.GetProperty("capabilities").EnumerateArray().Select(one => one.GetString())
        );
    }

    private static JsonObject Question(string? properties = null)
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

    private static JsonObject Submission(JsonElement denied, JsonObject? question = null)
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

    private static JsonObject With(JsonObject question, JsonElement approval)
    {
        question["context"]!["approval"] = JsonObject.Create(approval);
        return question;
    }

    private static JsonObject With(JsonObject question, string approvalId)
    {
        question["context"]!["approval"] = new JsonObject { ["id"] = approvalId };
        return question;
    }

    private static string? Status(JsonElement answer) => answer.GetProperty("task").GetProperty("status").GetString();

    private static string TaskId(JsonElement answer) => answer.GetProperty("task").GetProperty("id").GetString()!;

    private string Person(string name, string[] roles, params string[] groups) =>
        _broker.People.Token(name, claims => (claims["roles"], claims["groups"]) = (roles, groups));

    private async Task<JsonElement> EvaluateAsync(JsonObject question, string? token = null)
    {
        using var response = await PostAsync(Evaluation, question.ToJsonString(), token ?? _broker.Agent());
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<(JsonElement Answer, string? Location)> SubmitAsync(JsonObject body, string? key = null)
    {
        using var response = await PostAsync(Path, body.ToJsonString(), _broker.Agent(), key);
        return (await response.ReadAsync(HttpStatusCode.Accepted), response.Headers.Location?.ToString());
    }

    private async Task RefusedAsync(
        JsonObject body,
        HttpStatusCode status,
        string type,
        string? token = null,
        string? key = null
    )
    {
        using var response = await PostAsync(Path, body.ToJsonString(), token ?? _broker.Agent(), key);
        await ProblemAsync(response, status, type);
    }

    private static async Task ProblemAsync(HttpResponseMessage response, HttpStatusCode status, string type)
    {
        var problem = await response.ReadAsync(status);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(Type + type, problem.GetProperty("type").GetString());
        Assert.Equal((int)status, problem.GetProperty("status").GetInt32());
    }

    private async Task<JsonElement> FindAsync(string id)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, $"{Path}/{id}", _broker.Agent());
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<string[]> OpenAsync()
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

    private async Task<string> DigestAsync(string id)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Get,
            $"/v1/approvals/{id}",
            Person("ann", ["approver"], "leads")
        );
        return (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("digest").GetString()!;
    }

    private async Task ApproveAsync(string id)
    {
        using var response = await PostAsync(
            $"/v1/approvals/{id}/approve",
            $$"""{"digest":"{{await DigestAsync(id)}}"}""",
            Person("ann", ["approver"], "leads")
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private Task<HttpResponseMessage> PostAsync(string path, string body) => PostAsync(path, body, _broker.Agent());

    private Task<HttpResponseMessage> PostAsync(string path, string body, string? token, string? key = null)
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
