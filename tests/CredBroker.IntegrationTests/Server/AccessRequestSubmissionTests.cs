using System.Net;
using System.Text.Json.Nodes;
using CredBroker.Core.PolicyVersions;
using CredBroker.IntegrationTests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What a denial is good for: what is submitted for it, by whom, and what is refused.</summary>
public sealed class AccessRequestSubmissionTests : AccessRequestApiTestBase
{
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
}
