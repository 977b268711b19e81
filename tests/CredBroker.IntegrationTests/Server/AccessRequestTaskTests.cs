using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What becomes of a request that was submitted: seen, cancelled, decided, applied.</summary>
public sealed class AccessRequestTaskTests : AccessRequestApiTestBase
{
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

    private async Task<JsonElement> FindAsync(string id)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, $"{Path}/{id}", _broker.Agent());
        return await response.ReadAsync(HttpStatusCode.OK);
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
}
