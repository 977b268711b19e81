using System.Net;
using System.Text.Json;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// The certification scenario of the OpenID AuthZEN Authorization API 1.0 (openid/authzen,
/// certification/authorization-api-1_0-scenario.md): Basic Core, Basic Properties, Batch and Discovery. The comments name
/// its sections. Its fixture is the policy; a viewer asks.
/// </summary>
public sealed class AccessCertificationTests : IAsyncLifetime
{
    private const string Alice = """{"type":"user","id":"alice"}""";
    private const string Bob = """{"type":"user","id":"bob"}""";
    private const string Admin = """{"type":"user","id":"bob","properties":{"role":"admin"}}""";
    private const string Record1 = """{"type":"record","id":"record-1"}""";
    private const string Active = """{"type":"record","id":"record-1","properties":{"status":"active"}}""";
    private const string Archived = """{"type":"record","id":"record-2","properties":{"status":"archived"}}""";
    private const string Read = """{"name":"read"}""";
    private const string Write = """{"name":"write"}""";

    /// <summary>The required fixture (section 3).</summary>
    private const string Fixture = """
        apiVersion: credbroker/v1
        agents:
          alice: { member: 'identity.issuer == "authzen:user" && identity.subject == "alice"' }
          bob: { member: 'identity.issuer == "authzen:user" && identity.subject == "bob"' }
        processes:
          records:
            owner: { issuer: "https://people.test", subject: "owner-1", contact: records@acme.example }
            toleratesRuntimeAction: true
            agents: [alice, bob]
        credentials:
          record:
            vault: { engine: database, mount: database, role: cb-test-record }
            access: read
            impact: low
            reversible: true
            actions: [read, write, delete]
            maxTtl: 5m
            connection: { host: records-db, port: 5432, database: records, sslmode: verify-full }
        rules:
          - id: everybody-reads
            effect: allow
            when: credential.name == "record" && request.actions == ["read"]
          - id: alice-writes-what-is-not-archived
            effect: allow
            when: >
              agent == "alice" && request.actions == ["write"]
              && !(has(toolCall.arguments.resource) && has(toolCall.arguments.resource.status)
              && toolCall.arguments.resource.status == "archived")
          - id: an-admin-writes-what-is-archived
            effect: allow
            when: >
              agent == "bob" && request.actions == ["write"]
              && has(identity.claims.role) && identity.claims.role == "admin"
              && has(toolCall.arguments.resource) && has(toolCall.arguments.resource.status)
              && toolCall.arguments.resource.status == "archived"
          - id: alice-deletes-softly
            effect: allow
            when: >
              agent == "alice" && request.actions == ["delete"]
              && has(toolCall.arguments.soft) && toolCall.arguments.soft == true
        """;

    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await TestBroker.StartAsync(policy: Fixture);

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    /// <summary>4.2.1 to 4.2.9: the eight decisions, and what must not change them.</summary>
    public static TheoryData<string, bool> Basic =>
        new()
        {
            { Question(Alice, Read, Record1), true },
            { Question(Alice, Write, Record1), true },
            { Question(Bob, Read, Record1), true },
            { Question(Bob, Write, Record1), false },
            {
                Question(Alice, Read, Record1, ""","context":{"time":"2025-06-27T18:03-07:00","ip":"192.168.1.1"}"""),
                true
            },
            { Question(Alice, Write, Archived), false },
            { Question(Admin, Write, Archived), true },
            { Question(Alice, """{"name":"delete","properties":{"soft":true}}""", Record1), true },
            { Question(Alice, """{"name":"delete","properties":{"soft":false}}""", Record1), false },
            {
                Question(
                    """{"type":"user","id":"alice","properties":{"department":"Sales","role":"manager"}}""",
                    """{"name":"read","properties":{"method":"GET"}}""",
                    """{"type":"record","id":"record-1","properties":{"status":"active","owner":"bob"}}"""
                ),
                true
            },
            { Question(Alice, Read, Record1, ""","foo":"bar","futureField":{"nested":true}"""), true },
        };

    [Theory]
    [MemberData(nameof(Basic))]
    public async Task Basic_decisions(string question, bool expected)
    {
        // 4.6: asked again, the answer is the same. 5.4.2, 5.4.3: so is that of the evaluations endpoint without a list.
        foreach (var path in new[] { "evaluation", "evaluation", "evaluations" })
        {
            Assert.Equal(expected, (await AskAsync(path, question)).GetProperty("decision").GetBoolean());
        }

        var list = question[..^1] + ",\"evaluations\":[]}";
        Assert.Equal(expected, (await AskAsync("evaluations", list)).GetProperty("decision").GetBoolean());
    }

    /// <summary>4.4.1, 4.4.2, 4.4.4 to 4.4.6.</summary>
    public static TheoryData<string> Malformed =>
        [
            $$"""{"action":{{Read}},"resource":{{Record1}}}""",
            $$"""{"subject":{{Alice}},"resource":{{Record1}}}""",
            $$"""{"subject":{{Alice}},"action":{{Read}}}""",
            Question("""{"id":"alice"}""", Read, Record1),
            Question("""{"type":"user"}""", Read, Record1),
            Question(Alice, "{}", Record1),
            Question(Alice, Read, """{"id":"record-1"}"""),
            Question(Alice, Read, """{"type":"record"}"""),
            Question("\"alice\"", Read, Record1),
            Question(Alice, """{"name":123}""", Record1),
            "{",
            "",
            "null",
            "[]",
            Question(Alice, Read, Record1, ",\"subject\":" + Bob),
        ];

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task What_is_malformed_is_a_bad_request(string body)
    {
        foreach (var path in new[] { "evaluation", "evaluations" })
        {
            using var response = await SendAsync(path, Api.Json(body));
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
            Assert.NotEqual("", await response.Content.ReadAsStringAsync());
        }
    }

    /// <summary>4.4.3.</summary>
    [Fact]
    public async Task Another_content_type_is_a_bad_request()
    {
        using var response = await SendAsync(
            "evaluation",
            new StringContent(Question(Alice, Read, Record1), null, "text/plain")
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    /// <summary>4.5.</summary>
    [Fact]
    public async Task The_request_id_comes_back_with_decisions_and_with_errors()
    {
        foreach (var body in new[] { Question(Alice, Read, Record1), "{" })
        {
            using var response = await SendAsync("evaluation", Api.Json(body), "bfe9eb29-ab87");
            Assert.Equal("bfe9eb29-ab87", Assert.Single(response.Headers.GetValues("X-Request-ID")));
        }

        using var none = await SendAsync("evaluation", Api.Json(Question(Alice, Read, Record1)));
        Assert.True(none.IsSuccessStatusCode);
        Assert.Equal("application/json", none.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>5.2.1 to 5.2.7, 5.3, 5.4.1: null is a decision that the scenario leaves open.</summary>
    public static TheoryData<string, bool?[]> Batch =>
        new()
        {
            {
                $$$"""{"subject":{{{Alice}}},"action":{{{Read}}},"evaluations":[{"resource":{{{Record1}}}},{"resource":{"type":"record","id":"record-2"}}]}""",
                [true, null]
            },
            {
                $$"""{"subject":{{Bob}},"resource":{{Record1}},"evaluations":[{"action":{{Read}}},{"action":{{Write}}}]}""",
                [true, false]
            },
            {
                $$"""{"subject":{{Alice}},"action":{{Write}},"evaluations":[{"resource":{{Active}}},{"resource":{{Archived}}}]}""",
                [true, false]
            },
            {
                $$"""{"action":{{Write}},"resource":{{Archived}},"evaluations":[{"subject":{{Alice}}},{"subject":{{Admin}}}]}""",
                [false, true]
            },
            {
                $$"""{"evaluations":[{{Question(Alice, Read, Record1)}},{{Question(Bob, Write, Record1)}}]}""",
                [true, false]
            },
            {
                $$$"""
                    {"subject":{{{Alice}}},"action":{{{Read}}},"context":{"time":"2025-06-27T18:03-07:00"},"evaluations":[{"resource":{{{Record1}}}},
                     {"resource":{"type":"record","id":"record-2"},"context":{"time":"2025-06-27T19:00-07:00","source":"batch-override"}}]}
                    """,
                [null, null]
            },
            {
                $$"""{"subject":{{Alice}},"action":{{Write}},"resource":{{Active}},"evaluations":[{},{"resource":{{Archived}}}]}""",
                [true, false]
            },
            {
                $$"""
                    {"subject":{{Alice}},"action":{{Read}},"options":{"evaluations_semantic":"execute_all"},
                     "evaluations":[{"resource":{{Record1}}},{}]}
                    """,
                [true, false]
            },
        };

    [Theory]
    [MemberData(nameof(Batch))]
    public async Task Batch_decisions(string questions, bool?[] expected)
    {
        var answer = await AskAsync("evaluations", questions);
        Assert.False(answer.TryGetProperty("decision", out _));
        var decisions = Decisions(answer);
        Assert.Equal(expected.Length, decisions.Length);
        Assert.All(expected.Zip(decisions), pair => Assert.Equal(pair.First ?? pair.Second, pair.Second));
    }

    /// <summary>The specification's three semantics.</summary>
    [Theory]
    [InlineData("execute_all", new[] { true, false, true })]
    [InlineData("deny_on_first_deny", new[] { true, false })]
    [InlineData("permit_on_first_permit", new[] { true })]
    public async Task The_semantic_says_where_a_batch_ends(string semantic, bool[] expected)
    {
        var questions = $$"""
            {"subject":{{Alice}},"action":{{Write}},"options":{"evaluations_semantic":"{{semantic}}","another_option":"value"},
             "evaluations":[{"resource":{{Active}}},{"resource":{{Archived}}},{"resource":{{Record1}}}]}
            """;
        Assert.Equal(expected, Decisions(await AskAsync("evaluations", questions)));
    }

    [Fact]
    public async Task A_failed_evaluation_is_a_denial_for_the_semantic()
    {
        var questions = $$"""
            {"subject":{{Alice}},"action":{{Write}},"options":{"evaluations_semantic":"deny_on_first_deny"},
             "evaluations":[{},{"resource":{{Active}}}]}
            """;
        var decisions = Decisions(await AskAsync("evaluations", questions));
        Assert.False(Assert.Single(decisions));
    }

    [Theory]
    [InlineData("""{"evaluations_semantic":"first_come"}""")]
    [InlineData("""{"evaluations_semantic":1}""")]
    public async Task A_semantic_that_is_not_known_is_a_bad_request(string options)
    {
        using var response = await SendAsync(
            "evaluations",
            Api.Json($$"""{"evaluations":[{{Question(Alice, Read, Record1)}}],"options":{{options}}}""")
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_batch_is_bounded()
    {
        var many = string.Join(',', Enumerable.Repeat("{}", 101));
        using var response = await SendAsync(
            "evaluations",
            Api.Json($$"""{"subject":{{Alice}},"action":{{Read}},"resource":{{Record1}},"evaluations":[{{many}}]}""")
        );
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    /// <summary>8: for anybody, and named as it was asked.</summary>
    [Fact]
    public async Task Discovery()
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, "/.well-known/authzen-configuration", null);
        var document = await response.ReadAsync(HttpStatusCode.OK);
        var address = _broker.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(address, document.GetProperty("policy_decision_point").GetString());
        Assert.Equal($"{address}/access/v1/evaluation", document.GetProperty("access_evaluation_endpoint").GetString());
        Assert.Equal(
            $"{address}/access/v1/evaluations",
            document.GetProperty("access_evaluations_endpoint").GetString()
        );
        Assert.Equal(5, document.EnumerateObject().Count());
    }

    private static string Question(string subject, string action, string resource, string more = "") =>
        $$"""{"subject":{{subject}},"action":{{action}},"resource":{{resource}}{{more}}}""";

    private static bool[] Decisions(JsonElement answer) =>
        [.. answer.GetProperty("evaluations").EnumerateArray().Select(e => e.GetProperty("decision").GetBoolean())];

    private async Task<JsonElement> AskAsync(string path, string body)
    {
        using var response = await SendAsync(path, Api.Json(body));
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<HttpResponseMessage> SendAsync(string path, HttpContent body, string? requestId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/access/v1/{path}") { Content = body };
        request.Headers.Authorization = new("Bearer", _broker.Person("viewer"));
        if (requestId is not null)
        {
            request.Headers.Add("X-Request-ID", requestId);
        }

        return await _broker.Http.SendAsync(request);
    }
}
