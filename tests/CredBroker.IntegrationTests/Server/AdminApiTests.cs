using System.Net;
using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

public sealed class AdminApiTests : IAsyncLifetime
{
    private TestBroker _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await TestBroker.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Leases_are_listed_newest_first_page_by_page_with_who_and_why()
    {
        var issued = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            issued.Insert(0, await IssueAsync(instance: $"i-{i}"));
        }

        var (seen, cursor) = (new List<JsonElement>(), "");
        do
        {
            var page = await GetAsync($"/v1/leases?limit=2{cursor}");
            seen.AddRange(page.GetProperty("leases").EnumerateArray());
            cursor = page.TryGetProperty("next", out var next) ? $"&cursor={next.GetString()}" : null;
        } while (cursor is not null);

        Assert.Equal(issued, seen.Select(lease => lease.GetProperty("leaseId").GetString()));
        var lease = seen[0];
        Assert.Equal(
            ("triage", "i-4"),
            (
                lease.GetProperty("holder").GetProperty("agent").GetString(),
                lease.GetProperty("holder").GetProperty("instance").GetString()
            )
        );
        Assert.Equal("owner-1", lease.GetProperty("owner").GetProperty("subject").GetString());
        Assert.Equal("triage-reads", lease.GetProperty("ruleId").GetString());
        Assert.Equal($"vault/{issued[0]}", lease.GetProperty("vault").GetProperty("leaseId").GetString());
        Assert.DoesNotContain(_broker.Vault.Marker, lease.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leases_are_filtered_by_everything_that_is_given()
    {
        var first = await IssueAsync(instance: "i-1");
        var second = await IssueAsync("shared-key", instance: "i-2");
        Assert.Equal([second], await IdsAsync("instance=i-2"));
        Assert.Equal(
            [first],
            await IdsAsync(
                "credential=billing-readonly&agent=triage&process=invoice-triage&issuer=https%3A%2F%2Fworkloads.test"
            )
        );
        Assert.Equal([second, first], await IdsAsync("state=active,pending"));
        Assert.Equal([second, first], await IdsAsync("state=active&state=failed"));
        Assert.Empty(await IdsAsync("state=revoked"));
        Assert.Equal([first], await IdsAsync($"lease={first}"));
        Assert.Empty(await IdsAsync($"lease={first}&instance=i-2"));
    }

    [Theory]
    [InlineData("colour=red", "CB6003")]
    [InlineData("state=lively", "CB6003")]
    [InlineData("limit=0", "CB6003")]
    [InlineData("limit=many", "CB6003")]
    [InlineData("lease=abc", "CB6003")]
    [InlineData("agent=a&agent=b", "CB6003")]
    [InlineData("subject=%00", "CB6003")]
    [InlineData("cursor=abc", "CB7005")]
    public async Task A_filter_that_is_not_understood_is_refused_instead_of_ignored(string query, string code)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, $"/v1/leases?{query}", _broker.Person("viewer"));
        await response.ReadProblemAsync(code);
    }

    [Theory]
    [InlineData("""{"evidence":"I looked: pg_roles holds no such user"}""", HttpStatusCode.Conflict, "CB6005")]
    [InlineData("""{"evidence":"  "}""", HttpStatusCode.BadRequest, "CB6003")]
    [InlineData("{}", HttpStatusCode.BadRequest, "CB6001")]
    public async Task A_lease_that_works_is_not_confirmed_gone_by_anybody(
        string body,
        HttpStatusCode status,
        string code
    )
    {
        var lease = await IssueAsync();

        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/leases/{lease}/confirm",
            _broker.Person("admin"),
            Api.Json(body)
        );

        Assert.Equal(status, response.StatusCode);
        await response.ReadProblemAsync(code);
        Assert.Equal([lease], await IdsAsync("state=active"));
    }

    [Fact]
    public async Task A_dry_run_shows_what_an_order_would_reach_and_revokes_nothing()
    {
        var lease = await IssueAsync();
        var value = await IssueAsync("shared-key");
        var reply = await (await OrderAsync("""{"agent":"triage","dryRun":true}""")).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(
            [value, lease],
            reply.GetProperty("leases").EnumerateArray().Select(l => l.GetProperty("leaseId").GetString())
        );
        Assert.Equal(value, reply.GetProperty("stillValid")[0].GetProperty("leaseId").GetString());
        Assert.Equal(2, (await IdsAsync("state=active")).Count);
    }

    [Fact]
    public async Task An_order_revokes_what_its_selector_reaches_and_shows_its_progress()
    {
        var reached = await IssueAsync(instance: "i-1");
        var spared = await IssueAsync(instance: "i-2");
        using var ordered = await OrderAsync("""{"instance":"i-1","reason":"it chains actions"}""");
        var revocationId = (await ordered.ReadAsync(HttpStatusCode.Accepted)).GetProperty("revocationId").GetString();
        Assert.Equal($"/v1/revocations/{revocationId}", ordered.Headers.Location?.ToString());

        await Eventually.BecomesTrueAsync(async () =>
            (await GetAsync($"/v1/revocations/{revocationId}")).GetProperty("complete").GetBoolean()
        );
        var progress = await GetAsync($"/v1/revocations/{revocationId}");
        Assert.Equal("it chains actions", progress.GetProperty("reason").GetString());
        Assert.Equal("person:https://people.test#person-1", progress.GetProperty("requestedBy").GetString());
        Assert.Equal(1, progress.GetProperty("counts").GetProperty("revoked").GetInt32());
        var revoked = Assert.Single(progress.GetProperty("leases").EnumerateArray());
        Assert.Equal(reached, revoked.GetProperty("leaseId").GetString());
        Assert.Equal("admin", revoked.GetProperty("revocation").GetProperty("cause").GetString());
        Assert.True(
            revoked.GetProperty("revocation").GetProperty("confirmedAt").GetDateTimeOffset()
                >= revoked.GetProperty("revocation").GetProperty("requestedAt").GetDateTimeOffset()
        );
        Assert.Equal([spared], await IdsAsync("state=active"));
        Assert.Equal([reached], await IdsAsync($"revocation={revocationId}"));
    }

    [Fact]
    public async Task A_revocation_that_vault_does_not_confirm_stays_in_plain_view_until_it_is()
    {
        var lease = await IssueAsync();
        _broker.Vault.Revoke = _ => new RevokeOutcome.Failed("the database is down");
        var revocationId = (
            await (await OrderAsync("""{"credential":"billing-readonly"}""")).ReadAsync(HttpStatusCode.Accepted)
        )
            .GetProperty("revocationId")
            .GetString();
        await Eventually.BecomesTrueAsync(async () => (await IdsAsync("state=failed")).Count == 1);
        var progress = await GetAsync($"/v1/revocations/{revocationId}");
        Assert.False(progress.GetProperty("complete").GetBoolean());
        Assert.Contains(
            "database is down",
            progress.GetProperty("leases")[0].GetProperty("revocation").GetProperty("lastError").GetString(),
            StringComparison.Ordinal
        );
        Assert.Equal(lease, progress.GetProperty("stillValid")[0].GetProperty("leaseId").GetString());

        _broker.Vault.Revoke = _ => new RevokeOutcome.Confirmed();
        await Eventually.BecomesTrueAsync(async () =>
            (await GetAsync($"/v1/revocations/{revocationId}")).GetProperty("complete").GetBoolean()
        );
    }

    [Fact]
    public async Task Everything_needs_its_confirmation()
    {
        await IssueAsync();
        await (await OrderAsync("""{"everything":true}""")).ReadProblemAsync("CB7003");
        await (await OrderAsync("""{"everything":true,"dryRun":true}""")).ReadAsync(HttpStatusCode.OK);
        await (await OrderAsync("""{"everything":true,"confirm":true}""")).ReadAsync(HttpStatusCode.Accepted);
        await Eventually.BecomesTrueAsync(async () => (await IdsAsync("state=active")).Count == 0);
    }

    [Theory]
    [InlineData("{}", "CB7002")]
    [InlineData("""{"reason":"no selector"}""", "CB7002")]
    [InlineData("""{"everything":false}""", "CB7002")]
    [InlineData("""{"everything":true,"confirm":true,"agent":"triage"}""", "CB7002")]
    [InlineData("""{"agent":""}""", "CB6003")]
    [InlineData("""{"lease":"xyz"}""", "CB6003")]
    [InlineData("""{"agent":"triage","hold":"soon"}""", "CB6003")]
    [InlineData("""{"agent":"triage","hold":""}""", "CB6003")]
    [InlineData("""{"agent":"triage","hold":"8785h"}""", "CB6003")]
    [InlineData("""{"lease":"00000000000000000000000000000000","hold":"2h"}""", "CB7002")]
    [InlineData("""{"hold":"2h"}""", "CB7002")]
    [InlineData("""{"everything":true,"hold":"2h"}""", "CB7003")]
    [InlineData("""{"workload":" "}""", "CB6003")]
    [InlineData("""{"issuer":"\u2003"}""", "CB6003")]
    [InlineData("""{"agent":"triag"}""", "CB7006")]
    [InlineData("""{"agent":"triag","dryRun":true}""", "CB7006")]
    [InlineData("""{"agent":"triag","hold":"2h"}""", "CB7006")]
    [InlineData("""{"agent":"triage"}""", "CB7006")]
    [InlineData("""{"lease":"00000000000000000000000000000000"}""", "CB7006")]
    [InlineData("""{"agnet":"triage"}""", "CB6001")]
    public async Task An_order_that_is_not_understood_is_refused(string body, string code) =>
        await (await OrderAsync(body)).ReadProblemAsync(code);

    [Fact]
    public async Task An_order_of_a_mistyped_name_is_refused_with_what_may_have_been_meant_unless_none_is_allowed()
    {
        await IssueAsync();
        var problem = await (await OrderAsync("""{"credential":"biling-readonly"}""")).ReadProblemAsync("CB7006");
        Assert.Equal(404, problem.GetProperty("status").GetInt32());
        Assert.Contains(
            "did you mean `billing-readonly`?",
            problem.GetProperty("detail").GetString(),
            StringComparison.Ordinal
        );
        Assert.Single(await IdsAsync("state=active"));
        await (await OrderAsync("""{"credential":"biling-readonly","allowNone":true}""")).ReadAsync(
            HttpStatusCode.Accepted
        );
        Assert.Single(await IdsAsync("state=active"));
    }

    [Fact]
    public async Task Orders_are_listed_with_who_gave_them_and_what_they_reach()
    {
        await IssueAsync();
        var id = (
            await (await OrderAsync("""{"credential":"billing-readonly","reason":"drill"}""")).ReadAsync(
                HttpStatusCode.Accepted
            )
        )
            .GetProperty("revocationId")
            .GetString();

        var listed = await GetAsync("/v1/revocations");

        var order = Assert.Single(listed.GetProperty("orders").EnumerateArray());
        Assert.Equal(
            (id, "billing-readonly", "drill", "admin"),
            (
                order.GetProperty("revocationId").GetString(),
                order.GetProperty("credential").GetString(),
                order.GetProperty("reason").GetString(),
                order.GetProperty("cause").GetString()
            )
        );
        Assert.Contains("person-1", order.GetProperty("requestedBy").GetString(), StringComparison.Ordinal);
        Assert.Empty((await GetAsync("/v1/revocations?before=1")).GetProperty("orders").EnumerateArray());
        using var wrong = await _broker.SendAsync(HttpMethod.Get, "/v1/revocations?before=x", _broker.Person("viewer"));
        await wrong.ReadProblemAsync("CB7005");
    }

    [Fact]
    public async Task An_unknown_revocation_is_not_found()
    {
        foreach (var id in new[] { "00000000000000000000000000000000", "x" })
        {
            using var response = await _broker.SendAsync(
                HttpMethod.Get,
                $"/v1/revocations/{id}",
                _broker.Person("viewer")
            );
            await response.ReadProblemAsync("CB7004");
        }
    }

    [Fact]
    public async Task The_policy_in_force_and_its_processes_are_shown()
    {
        var policy = await GetAsync("/v1/policy");
        Assert.Equal(1, policy.GetProperty("version").GetInt64());
        Assert.Equal(TestPolicy.Text, policy.GetProperty("text").GetString());

        var processes = (await GetAsync("/v1/processes"))
            .GetProperty("processes")
            .EnumerateArray()
            .ToDictionary(p => p.GetProperty("name").GetString()!);
        Assert.Equal("autonomous", processes["invoice-triage"].GetProperty("mode").GetString());
        Assert.Equal("constrained", processes["payments"].GetProperty("mode").GetString());
        Assert.Contains("tolerate", processes["payments"].GetProperty("why").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_policy_edit_is_applied_and_revokes_what_it_no_longer_allows_and_a_bad_one_is_shown()
    {
        await IssueAsync();
        await File.WriteAllTextAsync(
            _broker.PolicyFile,
            TestPolicy.Text.Replace("\"billing-readonly\", ", "", StringComparison.Ordinal)
        );
        await Eventually.BecomesTrueAsync(async () => (await IdsAsync("state=revoked")).Count == 1);
        var lease = (await GetAsync("/v1/leases")).GetProperty("leases")[0];
        Assert.Equal("policy-change", lease.GetProperty("revocation").GetProperty("cause").GetString());
        Assert.Equal(2, (await GetAsync("/v1/policy")).GetProperty("version").GetInt64());

        await File.WriteAllTextAsync(_broker.PolicyFile, "apiVersion: credbroker/v1\nagents: [");
        await Eventually.BecomesTrueAsync(async () =>
            (await GetAsync("/v1/policy")).TryGetProperty("refusedEdit", out _)
        );
        Assert.Equal(2, (await GetAsync("/v1/policy")).GetProperty("version").GetInt64());
    }

    [Fact]
    public async Task What_a_policy_would_end_is_listed_before_it_is_applied_and_versions_stay_readable()
    {
        await IssueAsync();
        var narrower = TestPolicy.Text.Replace(
            "agent == \"triage\" &&",
            "agent == \"stranger\" &&",
            StringComparison.Ordinal
        );
        var preview = await PreviewAsync(narrower);
        var ended = Assert.Single(preview.GetProperty("ended").EnumerateArray());
        Assert.Equal(
            ((await IdsAsync("state=active")).Single(), "CB2001", 1),
            (
                ended.GetProperty("leaseId").GetString(),
                ended.GetProperty("rule").GetString(),
                preview.GetProperty("endedCount").GetInt32()
            )
        );
        Assert.NotEmpty((await PreviewAsync("agents: [")).GetProperty("faults").EnumerateArray());

        await File.WriteAllTextAsync(_broker.PolicyFile, narrower);
        await Eventually.BecomesTrueAsync(async () => (await IdsAsync("state=revoked")).Count == 1);
        var versions = (await GetAsync("/v1/policy/versions")).GetProperty("versions");
        Assert.Equal([2L, 1], versions.EnumerateArray().Select(version => version.GetProperty("version").GetInt64()));
        Assert.Equal(preview.GetProperty("hash").GetString(), versions[0].GetProperty("hash").GetString());
        Assert.Equal(TestPolicy.Text, (await GetAsync("/v1/policy/versions/1")).GetProperty("text").GetString());
        using var unknown = await _broker.SendAsync(HttpMethod.Get, "/v1/policy/versions/9", _broker.Person("viewer"));
        await unknown.ReadProblemAsync("CB7010");
    }

    private async Task<JsonElement> PreviewAsync(string text)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/policy/preview",
            _broker.Person("viewer"),
            Api.Json(JsonSerializer.Serialize(new { text }))
        );
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_supposed_request_is_decided_with_its_explanation()
    {
        var reply = await EvaluateAsync("shared-key", "triage");
        Assert.Equal(
            ("allow", "triage-reads"),
            (reply.GetProperty("effect").GetString(), reply.GetProperty("ruleId").GetString())
        );
        Assert.Equal("5m", reply.GetProperty("ttl").GetString());
        Assert.NotEmpty(reply.GetProperty("gate").EnumerateArray());

        reply = await EvaluateAsync("forbidden", "triage");
        Assert.Equal(
            ("deny", "CB2002"),
            (reply.GetProperty("effect").GetString(), reply.GetProperty("code").GetString())
        );
        Assert.Empty(await IdsAsync("limit=10"));
    }

    [Fact]
    public async Task An_admin_closes_a_task_of_any_agent()
    {
        await IssueAsync();
        using var closed = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/tasks/t-1/close",
            _broker.Person("admin"),
            Api.Json("""{"process":"invoice-triage"}""")
        );
        await closed.ReadAsync(HttpStatusCode.NoContent);
        await Eventually.BecomesTrueAsync(async () => (await IdsAsync("state=revoked")).Count == 1);
    }

    private async Task<JsonElement> EvaluateAsync(string credential, string workload)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/policy/evaluate",
            _broker.Person("viewer"),
            Api.Json(
                $$"""
                {"identity":{"proof":"oidc","issuer":"https://workloads.test",
                 "subject":"s","workload":"{{workload}}","instance":"i"},
                 "task":{"id":"t","process":"invoice-triage","purpose":"x"},
                 "credential":"{{credential}}","actions":["read"]}
                """
            )
        );
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private Task<HttpResponseMessage> OrderAsync(string body) =>
        _broker.SendAsync(HttpMethod.Post, "/v1/revocations", _broker.Person("admin"), Api.Json(body));

    private async Task<JsonElement> GetAsync(string path)
    {
        using var response = await _broker.SendAsync(HttpMethod.Get, path, _broker.Person("viewer"));
        return await response.ReadAsync(HttpStatusCode.OK);
    }

    private async Task<IReadOnlyList<string>> IdsAsync(string query) =>
        [
            .. (await GetAsync($"/v1/leases?{query}"))
                .GetProperty("leases")
                .EnumerateArray()
                .Select(lease => lease.GetProperty("leaseId").GetString()!),
        ];

    private async Task<string> IssueAsync(string credential = "billing-readonly", string instance = "i-1")
    {
        // Every instance of the workload shares the task: its owner is (issuer, workload).
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(instance),
            Api.Exchange(credential)
        );
        return (await response.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString()!;
    }
}
