using System.Net;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Server;

public sealed class RoleTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private const string Selector = """{"credential":"nothing-has-this-name","allowNone":true}""";

    private static readonly string[] Readers = ["admin", "auditor", "viewer"];
    private static readonly string[] AllRoles = ["admin", "approver", "auditor", "viewer"];

    /// <summary>Method, path, body, and the roles that may.</summary>
    private static readonly IReadOnlyList<(string Method, string Path, string? Body, string[] Roles)> Calls =
    [
        ("GET", "/v1/leases", null, Readers),
        ("GET", "/v1/revocations", null, Readers),
        ("GET", "/v1/revocations/00000000000000000000000000000000", null, Readers),
        ("GET", "/v1/policy", null, Readers),
        ("GET", "/v1/policy/versions", null, Readers),
        ("GET", "/v1/policy/versions/1", null, Readers),
        ("PUT", "/v1/policy", """{"text":"apiVersion: credbroker/v1"}""", ["admin"]),
        ("POST", "/v1/policy/rollback", """{"version":1,"reason":"test"}""", ["admin"]),
        (
            "POST",
            "/v1/policy/replay",
            """{"text":"apiVersion: credbroker/v1","from":"2026-01-01T00:00:00Z"}""",
            Readers
        ),
        ("POST", "/v1/policy/preview", """{"text":"apiVersion: credbroker/v1"}""", Readers),
        ("GET", "/v1/processes", null, Readers),
        (
            "POST",
            "/v1/policy/evaluate",
            """
            {"identity":{"proof":"oidc","issuer":"https://workloads.test","subject":"s"},
             "task":{"id":"t","process":"invoice-triage","purpose":"x"},"credential":"shared-key","actions":["read"]}
            """,
            Readers
        ),
        ("POST", "/v1/revocations", Selector, ["admin"]),
        ("POST", "/v1/leases/00000000000000000000000000000000/confirm", """{"evidence":"seen"}""", ["admin"]),
        ("POST", "/v1/holds", Selector, ["admin"]),
        ("GET", "/v1/holds", null, Readers),
        ("GET", "/v1/owners/retired", null, Readers),
        ("POST", "/v1/owners/retire", """{"issuer":"https://x","subject":"nobody","reason":"left"}""", ["admin"]),
        ("POST", "/v1/owners/reinstate", """{"issuer":"https://x","subject":"nobody","reason":"back"}""", ["admin"]),
        ("POST", "/v1/holds/00000000000000000000000000000000/lift", """{"reason":"it is over"}""", ["admin"]),
        ("GET", "/v1/approvals", null, ["approver"]),
        ("GET", "/v1/approvals/events", null, ["approver"]),
        ("GET", "/v1/approvals/00000000000000000000000000000000", null, ["approver"]),
        (
            "POST",
            "/v1/approvals/00000000000000000000000000000000/approve",
            $$"""{"digest":"{{new string('0', 64)}}"}""",
            ["approver"]
        ),
        ("POST", "/v1/approvals/00000000000000000000000000000000/deny", """{"reason":"not today"}""", ["approver"]),
        ("GET", "/v1/store/clock", null, Readers),
        ("POST", "/v1/store/clock/repair", """{"reason":"it is right"}""", ["admin"]),
        ("GET", "/v1/store/anchor", null, Readers),
        ("POST", "/v1/store/anchor/accept", """{"epoch":2,"reason":"it is right"}""", ["admin"]),
        ("GET", "/v1/vault/cluster", null, Readers),
        ("POST", "/v1/vault/cluster/accept", """{"cluster":"a-cluster","reason":"it is right"}""", ["admin"]),
        ("POST", "/v1/tasks/never-opened/close", """{"process":"invoice-triage"}""", ["admin"]),
        ("GET", "/v1/audit/export", null, ["auditor"]),
    ];

    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task Each_call_takes_its_roles_and_no_other()
    {
        foreach (var (method, path, body, roles) in Calls)
        {
            foreach (var role in AllRoles)
            {
                using var response = await SendAsync(method, path, body, _broker.Person(role));
                if (roles.Contains(role))
                {
                    Assert.True(
                        response.StatusCode is not (HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized),
                        $"{role} may {method} {path}: {response.StatusCode}"
                    );
                }
                else
                {
                    await response.ReadProblemAsync("CB7001");
                }
            }
        }
    }

    [Fact]
    public async Task A_person_without_a_role_may_nothing()
    {
        foreach (var (method, path, body, _) in Calls)
        {
            using var response = await SendAsync(method, path, body, _broker.Person("owner-of-the-company"));
            await response.ReadProblemAsync("CB7001");
        }
    }

    [Fact]
    public async Task Nobody_gets_in_without_a_token()
    {
        foreach (var (method, path, body, _) in Calls)
        {
            using var response = await SendAsync(method, path, body, null);
            await response.ReadProblemAsync("CB1001");
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().ToString());
        }
    }

    [Fact]
    public async Task A_workloads_token_is_refused_where_a_persons_is_meant()
    {
        foreach (
            var (method, path, body, _) in Calls.Where(call => !call.Path.EndsWith("/close", StringComparison.Ordinal))
        )
        {
            // Roles in a workload's token count for nothing.
            var token = _broker.Workloads.Token(
                "triage-1",
                claims => (claims["workload"], claims["instance"], claims["roles"]) = ("triage", "i-1", AllRoles)
            );
            using var response = await SendAsync(method, path, body, token);
            await response.ReadProblemAsync("CB1017");
        }
    }

    [Fact]
    public async Task A_persons_expired_token_is_refused_for_being_expired_even_where_agents_call_too()
    {
        var expired = _broker.People.Token(
            "person-1",
            claims => (claims["roles"], claims["exp"]) = (AllRoles, 1_000_000)
        );
        using var response = await SendAsync(
            "POST",
            "/v1/tasks/t-9/close",
            """{"process":"invoice-triage"}""",
            expired
        );
        await response.ReadProblemAsync("CB1010");
    }

    [Fact]
    public async Task What_people_do_and_are_refused_is_on_record()
    {
        using var allowed = await SendAsync("GET", "/v1/leases?process=on-record", null, _broker.Person("viewer"));
        using var refused = await SendAsync(
            "GET",
            "/v1/audit/export?from=secret-in-the-wrong-place",
            null,
            _broker.Person("viewer")
        );
        using var export = await SendAsync("GET", "/v1/audit/export", null, _broker.Person("auditor"));
        var log = await export.Content.ReadAsStringAsync();
        Assert.Contains("process=on-record", log, StringComparison.Ordinal);
        Assert.Contains("exportAudit", log, StringComparison.Ordinal);
        Assert.Contains("CB7001", log, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-in-the-wrong-place", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_call_of_a_person_is_on_record_under_their_name()
    {
        foreach (var (method, path, body, roles) in Calls)
        {
            var person = $"person-{Guid.NewGuid():N}";
            using var response = await SendAsync(
                method,
                // Closing a task that is closed already changes nothing, and leaves no event.
                path.Replace("never-opened", person, StringComparison.Ordinal),
                body,
                _broker.People.Token(person, claims => claims["roles"] = roles)
            );
            Assert.True(
                // 428: a change of the policy has to name the version that its author has seen.
                (int)response.StatusCode
                    is 200
                        or 201
                        or 202
                        or 204
                        or 404
                        or 428
                    // No Vault has said yet which cluster it is, and the store is behind no anchor.
                    || path.EndsWith("/accept", StringComparison.Ordinal),
                $"{method} {path}: {response.StatusCode}"
            );
            using var export = await SendAsync("GET", "/v1/audit/export", null, _broker.Person("auditor"));
            Assert.True(
                (await export.Content.ReadAsStringAsync()).Contains(person, StringComparison.Ordinal),
                $"{method} {path} left no event of {person}."
            );
        }
    }

    private Task<HttpResponseMessage> SendAsync(string method, string path, string? body, string? token) =>
        _broker.SendAsync(
            new HttpMethod(method),
            path,
            token,
            body is null ? null : Api.Json(body),
            // A stream of events has no end to wait for.
            path.EndsWith("/events", StringComparison.Ordinal)
                ? HttpCompletionOption.ResponseHeadersRead
                : HttpCompletionOption.ResponseContentRead
        );
}
