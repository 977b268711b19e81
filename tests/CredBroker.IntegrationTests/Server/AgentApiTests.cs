using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using CredBroker.Core.Issuing;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

public sealed class AgentApiTests(SharedBroker shared) : IClassFixture<SharedBroker>
{
    private readonly TestBroker _broker = shared.Broker;

    [Fact]
    public async Task An_allowed_request_is_answered_with_the_secret_once()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(more: ""","ttl":"5m","resource":"invoices/2026" """)
        );
        var reply = await response.ReadAsync(HttpStatusCode.Created);

        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
        var secret = reply.GetProperty("secret");
        Assert.Equal("database", secret.GetProperty("type").GetString());
        Assert.Equal(_broker.Vault.Marker, secret.GetProperty("password").GetString());
        Assert.Equal("billing-db", secret.GetProperty("connection").GetProperty("host").GetString());
        Assert.Equal(1, reply.GetProperty("decision").GetProperty("policyVersion").GetInt64());

        using var found = await _broker.SendAsync(HttpMethod.Get, $"/v1/credentials/{LeaseId(reply)}", _broker.Agent());
        var lease = await found.ReadAsync(HttpStatusCode.OK);
        Assert.Equal("active", lease.GetProperty("state").GetString());
        Assert.Equal(
            reply.GetProperty("expiresAt").GetDateTimeOffset(),
            lease.GetProperty("expiresAt").GetDateTimeOffset()
        );
        Assert.DoesNotContain(_broker.Vault.Marker, lease.GetRawText(), StringComparison.Ordinal);
        Assert.False(lease.TryGetProperty("holder", out _));
        Assert.False(lease.TryGetProperty("vault", out _));
    }

    [Fact]
    public async Task A_larger_ttl_is_cut_and_the_answer_says_so()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(more: ""","ttl":"24h" """)
        );
        var reply = await response.ReadAsync(HttpStatusCode.Created);
        Assert.True(reply.GetProperty("ttlCut").GetBoolean());
        Assert.InRange(
            reply.GetProperty("expiresAt").GetDateTimeOffset() - TimeProvider.System.GetUtcNow(),
            TimeSpan.FromMinutes(9),
            TimeSpan.FromMinutes(10)
        );
    }

    [Fact]
    public async Task A_certificate_is_issued_for_a_csr()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var csr = JsonSerializer.Serialize(
            new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSigningRequestPem()
        );
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange("agent-mtls", "\"connect\"", more: $",\"csr\":{csr}")
        );
        var secret = (await response.ReadAsync(HttpStatusCode.Created)).GetProperty("secret");
        Assert.Equal("pki", secret.GetProperty("type").GetString());
        Assert.False(secret.TryGetProperty("privateKey", out _));
    }

    [Fact]
    public async Task A_kv_value_keeps_its_numbers_and_a_token_its_address()
    {
        using var value = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange("shared-key")
        );
        var secret = (await value.ReadAsync(HttpStatusCode.Created)).GetProperty("secret");
        Assert.Equal(
            ("kv", "12345678901234567890"),
            (secret.GetProperty("type").GetString(), secret.GetProperty("data").GetProperty("big").GetRawText())
        );

        using var token = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange("vault-token")
        );
        secret = (await token.ReadAsync(HttpStatusCode.Created)).GetProperty("secret");
        Assert.Equal(
            ("token", "https://vault.test"),
            (secret.GetProperty("type").GetString(), secret.GetProperty("address").GetString())
        );
    }

    [Theory]
    [InlineData("forbidden", "\"read\"", "CB2002")]
    [InlineData("unheard-of", "\"read\"", "CB2006")]
    [InlineData("billing-readonly", "\"drop\"", "CB2007")]
    [InlineData("agent-mtls", "\"connect\"", "CB6009")]
    public async Task A_denial_is_a_problem_with_its_decision(string credential, string actions, string code)
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(credential, actions)
        );
        var problem = await response.ReadProblemAsync(code);
        Assert.Equal(32, problem.GetProperty("decisionId").GetString()!.Length);
        Assert.DoesNotContain("nobody", problem.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_workload_is_not_admitted_to_the_process()
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Workload("stranger"),
            Api.Exchange()
        );
        await response.ReadProblemAsync("CB2004");
    }

    [Fact]
    public async Task A_lease_is_renewed_reported_on_and_released_by_its_holder_alone()
    {
        var leaseId = LeaseId(await IssueAsync("billing-readonly", ""","ttl":"2m" """));

        using var stranger = await _broker.SendAsync(
            HttpMethod.Get,
            $"/v1/credentials/{leaseId}",
            _broker.Agent("i-2")
        );
        await stranger.ReadProblemAsync("CB6004");
        using var thief = await _broker.SendAsync(
            HttpMethod.Delete,
            $"/v1/credentials/{leaseId}",
            _broker.Agent("i-2")
        );
        await thief.ReadProblemAsync("CB6004");

        using var renewed = await _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/credentials/{leaseId}/renew",
            _broker.Agent(),
            Api.Json("""{"ttl":"8m"}""")
        );
        var end = (await renewed.ReadAsync(HttpStatusCode.OK)).GetProperty("expiresAt").GetDateTimeOffset();
        Assert.True(end > TimeProvider.System.GetUtcNow() + TimeSpan.FromMinutes(7));

        using var outcome = await _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/credentials/{leaseId}/outcome",
            _broker.Agent(),
            Api.Json("""{"status":"succeeded","summary":"sorted","toolCall":{"name":"sort","arguments":{"n":3}}}""")
        );
        await outcome.ReadAsync(HttpStatusCode.NoContent);

        using var released = await _broker.SendAsync(HttpMethod.Delete, $"/v1/credentials/{leaseId}", _broker.Agent());
        await released.ReadAsync(HttpStatusCode.NoContent);
        using var again = await _broker.SendAsync(HttpMethod.Delete, $"/v1/credentials/{leaseId}", _broker.Agent());
        await again.ReadAsync(HttpStatusCode.NoContent);
        using var found = await _broker.SendAsync(HttpMethod.Get, $"/v1/credentials/{leaseId}", _broker.Agent());
        var lease = await found.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(
            ("revoked", "released"),
            (lease.GetProperty("state").GetString(), lease.GetProperty("revocation").GetProperty("cause").GetString())
        );

        using var late = await _broker.SendAsync(
            HttpMethod.Post,
            $"/v1/credentials/{leaseId}/renew",
            _broker.Agent(),
            Api.Json("{}")
        );
        await late.ReadProblemAsync("CB6005");
    }

    [Fact]
    public async Task Releasing_what_cannot_be_revoked_says_what_stays_valid()
    {
        var leaseId = LeaseId(await IssueAsync("shared-key"));
        using var response = await _broker.SendAsync(HttpMethod.Delete, $"/v1/credentials/{leaseId}", _broker.Agent());
        var reply = await response.ReadAsync(HttpStatusCode.OK);
        Assert.Equal("ended", reply.GetProperty("state").GetString());
        Assert.Contains(
            "secret/shared/key",
            reply.GetProperty("stillValid")[0].GetProperty("what").GetString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_release_that_vault_does_not_confirm_is_answered_as_under_way()
    {
        await using var slow = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Leases:ReleaseWait"] = "00:00:00" }
        );
        slow.Vault.Revoke = _ => new RevokeOutcome.Failed("the database is down");
        using var issued = await slow.SendAsync(HttpMethod.Post, "/v1/credentials", slow.Agent(), Api.Exchange());
        using var response = await slow.SendAsync(
            HttpMethod.Delete,
            $"/v1/credentials/{LeaseId(await issued.ReadAsync(HttpStatusCode.Created))}",
            slow.Agent()
        );
        var reply = await response.ReadAsync(HttpStatusCode.Accepted);
        Assert.Contains(reply.GetProperty("state").GetString(), new[] { "revoking", "failed" });
    }

    [Fact]
    public async Task Closing_a_task_revokes_what_it_holds_and_its_id_is_never_taken_again()
    {
        var leaseId = LeaseId(await IssueAsync("billing-readonly", task: "closing"));
        using var other = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/tasks/closing/close",
            _broker.Workload("stranger"),
            Api.Json("""{"process":"invoice-triage"}""")
        );
        await other.ReadProblemAsync("CB2004");

        using var closed = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/tasks/closing/close",
            _broker.Agent(),
            Api.Json("""{"process":"invoice-triage"}""")
        );
        await closed.ReadAsync(HttpStatusCode.NoContent);

        await Eventually.BecomesTrueAsync(async () =>
        {
            using var found = await _broker.SendAsync(HttpMethod.Get, $"/v1/credentials/{leaseId}", _broker.Agent());
            return (await found.ReadAsync(HttpStatusCode.OK)).GetProperty("state").GetString() == "revoked";
        });
        using var reopened = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(task: "closing")
        );
        await reopened.ReadProblemAsync("CB2013");
    }

    [Fact]
    public async Task An_idempotent_repetition_leaves_one_live_secret()
    {
        const string key = ""","idempotencyKey":"order-66" """;
        var first = LeaseId(await IssueAsync("billing-readonly", key, "idem"));
        var second = LeaseId(await IssueAsync("billing-readonly", key, "idem"));
        Assert.NotEqual(first, second);
        Assert.DoesNotContain($"vault/{first}", _broker.Vault.Live);
        Assert.Contains($"vault/{second}", _broker.Vault.Live);

        using var other = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(task: "another", more: key)
        );
        await other.ReadProblemAsync("CB6006");
    }

    [Fact]
    public async Task A_get_mints_nothing_and_changes_nothing()
    {
        var leaseId = LeaseId(await IssueAsync("billing-readonly"));
        var live = _broker.Vault.Live.Order().ToArray();
        foreach (
            var path in new[]
            {
                "/v1/credentials",
                $"/v1/credentials/{leaseId}",
                $"/v1/credentials/{leaseId}/renew",
                "/v1/tasks/t-1/close",
                "/v1/policy/rollback",
            }
        )
        {
            using var response = await _broker.SendAsync(HttpMethod.Get, path, _broker.Agent());
            Assert.Contains((int)response.StatusCode, new[] { 200, 405 });
        }

        Assert.Equal(live, _broker.Vault.Live.Order());
    }

    private async Task<JsonElement> IssueAsync(string credential, string more = "", string task = "t-1")
    {
        using var response = await _broker.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            _broker.Agent(),
            Api.Exchange(credential, task: task, more: more)
        );
        return await response.ReadAsync(HttpStatusCode.Created);
    }

    private static string LeaseId(JsonElement reply) => reply.GetProperty("leaseId").GetString()!;
}
