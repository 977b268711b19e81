using System.Net;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Client;

public sealed class ClientCallsTests : IAsyncLifetime
{
    private static readonly RetiredOwnerResponse Gone = new()
    {
        Issuer = "https://people.test",
        Subject = "ann",
        Reason = "left",
        RetiredBy = "person:https://people.test#ada",
        RetiredAt = DateTimeOffset.UnixEpoch,
        Processes = ["invoice-triage"],
    };

    private static readonly LeaseResponse Lease = CliFixture.Lease();
    private static readonly VaultClusterResponse Cluster = new()
    {
        Accepted = "a",
        ChangedAt = null,
        Answering = "b",
        KeepsFromIssuing = true,
    };
    private static readonly StoreClockResponse Clock = new()
    {
        StoreTime = CliFixture.Later,
        BrokerTime = CliFixture.Later,
        KeepsFromIssuing = false,
    };
    private static readonly StoreAnchorResponse Anchor = new()
    {
        Epoch = 1,
        AnchorEpoch = 1,
        Missing = [],
        AcceptAs = 2,
        KeepsFromIssuing = true,
    };
    private StubBroker _broker = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await StubBroker.StartAsync();
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = _broker.Address };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task The_token_is_read_again_for_each_call()
    {
        _broker.On("GET /v1/credentials/l-1", Lease, BrokerJson.Default.LeaseResponse);
        var number = 0;
        var client = new AgentClient(new(_http, TokenSource.From(_ => ValueTask.FromResult($"token-{++number}"))));

        await client.GetLeaseAsync("l-1");
        await client.GetLeaseAsync("l-1");

        Assert.Equal(["Bearer token-1", "Bearer token-2"], _broker.Calls.Select(call => call.Authorization));
    }

    private static readonly PolicyResponse Policy = new()
    {
        Version = 9,
        Hash = "h",
        AppliedAt = CliFixture.Later,
        Name = "policy.yaml",
        Text = "…",
        Restores = 8,
    };

    [Fact]
    public async Task Every_call_has_its_address_and_body()
    {
        _broker
            .On("POST /v1/credentials/l-1/renew", Lease, BrokerJson.Default.LeaseResponse)
            .OnStatus("POST /v1/credentials/l-1/outcome", 204)
            .OnStatus("POST /v1/tasks/run%2017%2F/close", 204)
            .On("POST /v1/leases/l-1/confirm", Lease, BrokerJson.Default.LeaseResponse)
            .On("POST /v1/revocations", new("r-1"), BrokerJson.Default.RevocationAcceptedResponse, 202)
            .On(
                "GET /v1/policy",
                new()
                {
                    Version = 3,
                    Hash = "h",
                    AppliedAt = CliFixture.Later,
                    Name = "policy.yaml",
                    Text = "…",
                },
                BrokerJson.Default.PolicyResponse
            )
            .On(
                "POST /v1/policy/evaluate",
                new()
                {
                    Effect = "allow",
                    PolicyVersion = 3,
                    PolicyHash = "h",
                    MatchedRules = [],
                    Gate = [],
                },
                BrokerJson.Default.EvaluateResponse
            )
            .On("POST /v1/holds", CliFixture.Hold, BrokerJson.Default.HoldResponse, 201)
            .On("GET /v1/holds", new() { Holds = [CliFixture.Hold] }, BrokerJson.Default.HoldListResponse)
            .On("GET /v1/owners/retired", new() { Owners = [Gone] }, BrokerJson.Default.RetiredOwnerListResponse)
            .On(
                "POST /v1/owners/retire",
                new()
                {
                    Owner = Gone,
                    Leases = [],
                    Revocations = ["r-1"],
                },
                BrokerJson.Default.RetireOwnerResponse
            )
            .On("POST /v1/owners/reinstate", Gone, BrokerJson.Default.RetiredOwnerResponse)
            .On("POST /v1/holds/h-1/lift", CliFixture.Hold, BrokerJson.Default.HoldResponse)
            .On("GET /v1/store/clock", Clock, BrokerJson.Default.StoreClockResponse)
            .On("POST /v1/store/clock/repair", Clock, BrokerJson.Default.StoreClockResponse)
            .On("GET /v1/store/anchor", Anchor, BrokerJson.Default.StoreAnchorResponse)
            .On("POST /v1/store/anchor/accept", Anchor, BrokerJson.Default.StoreAnchorResponse)
            .On("GET /v1/vault/cluster", Cluster, BrokerJson.Default.VaultClusterResponse)
            .On("POST /v1/vault/cluster/accept", Cluster, BrokerJson.Default.VaultClusterResponse)
            .On("GET /v1/policy/versions", new() { Versions = [] }, BrokerJson.Default.PolicyVersionListResponse)
            .On(
                "GET /v1/policy/versions/7",
                new()
                {
                    Version = 7,
                    Hash = "h",
                    AppliedAt = CliFixture.Later,
                    Name = "policy.yaml",
                    Text = "…",
                },
                BrokerJson.Default.PolicyResponse
            )
            .On(
                "POST /v1/policy/preview",
                new()
                {
                    PolicyVersion = 3,
                    Live = 2,
                    EndedCount = 1,
                    Ended = [],
                    ShortenedCount = 0,
                    Shortened = [],
                },
                BrokerJson.Default.PolicyPreviewResponse
            )
            .On("PUT /v1/policy", Policy, BrokerJson.Default.PolicyResponse)
            .On("POST /v1/policy/rollback", Policy, BrokerJson.Default.PolicyResponse)
            .On(
                "POST /v1/policy/replay",
                new()
                {
                    To = CliFixture.Later,
                    Scanned = 5,
                    Replayed = 4,
                    NewDenials = 3,
                    NewChallenges = 0,
                    NewAllows = 0,
                    Changes = [],
                    NotTold = 0,
                    Unreadable = 0,
                    Counted = 0,
                },
                BrokerJson.Default.PolicyReplayResponse
            )
            .On("GET /v1/processes", new() { Processes = [] }, BrokerJson.Default.ProcessListResponse);
        var (agent, admin) = (Agent(), Admin());

        await agent.RenewAsync("l-1", new() { Ttl = TimeSpan.FromMinutes(2) });
        await agent.ReportAsync("l-1", new() { Status = "succeeded", Summary = "42 rows" });
        await agent.CloseTaskAsync("run 17/", new() { Process = "invoice-triage" });
        await admin.ConfirmLeaseAsync("l-1", new() { Evidence = "no such role" });
        Assert.Equal("r-1", (await admin.RevokeAsync(new() { Agent = "triage", DryRun = true })).RevocationId);
        Assert.Equal("h-1", (await admin.PlaceHoldAsync(new() { Task = "t", For = TimeSpan.FromHours(2) })).HoldId);
        Assert.Equal("h-1", Assert.Single((await admin.ListHoldsAsync()).Holds).HoldId);
        Assert.Equal("triage", (await admin.LiftHoldAsync("h-1", new() { Reason = "over" })).Agent);
        var owner = new OwnerRequest
        {
            Issuer = Gone.Issuer,
            Subject = Gone.Subject,
            Reason = "left",
        };
        Assert.Equal("ann", Assert.Single((await admin.ListRetiredOwnersAsync()).Owners).Subject);
        Assert.Equal(["r-1"], (await admin.RetireOwnerAsync(owner)).Revocations);
        Assert.Equal("ann", (await admin.ReinstateOwnerAsync(owner)).Subject);
        Assert.Equal(Clock, await admin.GetClockAsync());
        Assert.Equal(Clock, await admin.RepairClockAsync(new() { Reason = "it is right" }));
        Assert.Equal(2, (await admin.GetStoreAnchorAsync()).AcceptAs);
        Assert.Equal(2, (await admin.AcceptStoreAsync(new() { Epoch = 2, Reason = "it is right" })).AcceptAs);
        Assert.Equal(Cluster, await admin.GetVaultClusterAsync());
        Assert.Equal(Cluster, await admin.AcceptVaultClusterAsync(new() { Cluster = "a", Reason = "it is right" }));
        Assert.Equal(3, (await admin.GetPolicyAsync()).Version);
        await admin.EvaluateAsync(
            new()
            {
                Identity = new()
                {
                    Proof = "oidc",
                    Issuer = "i",
                    Subject = "s",
                },
                Task = Lease.Task,
                Credential = "c",
                Actions = ["read"],
            }
        );
        Assert.Empty((await admin.ListProcessesAsync()).Processes);
        Assert.Empty((await admin.ListPolicyVersionsAsync(before: 9)).Versions);
        Assert.Equal(7, (await admin.GetPolicyVersionAsync(7)).Version);
        Assert.Equal(1, (await admin.PreviewPolicyAsync(new() { Text = "x" })).EndedCount);
        Assert.Equal(9, (await admin.ApplyPolicyAsync(new() { Text = "x" }, "h")).Version);
        Assert.Equal(9, (await admin.ApplyPolicyAsync(new() { Text = "x" }, onto: null)).Version);
        Assert.Equal(8, (await admin.RollBackPolicyAsync(new() { Version = 8, Reason = "r" }, "h")).Restores);
        Assert.Equal(
            3,
            (await admin.ReplayPolicyAsync(new() { Text = "x", From = CliFixture.Later.AddDays(-30) })).NewDenials
        );

        Assert.Equal(
            [
                """{"ttl":"2m"}""",
                """{"status":"succeeded","summary":"42 rows"}""",
                """{"process":"invoice-triage"}""",
                """{"evidence":"no such role"}""",
                """{"agent":"triage"}""",
                """{"task":"t","for":"2h"}""",
                "",
                """{"reason":"over"}""",
                "",
                """{"issuer":"https://people.test","subject":"ann","reason":"left"}""",
                """{"issuer":"https://people.test","subject":"ann","reason":"left"}""",
                "",
                """{"reason":"it is right"}""",
                "",
                """{"epoch":2,"reason":"it is right"}""",
                "",
                """{"cluster":"a","reason":"it is right"}""",
                "",
                """{"identity":{"proof":"oidc","issuer":"i","subject":"s"}"""
                    + ""","task":{"id":"run-17","process":"invoice-triage","purpose":"find duplicates"}"""
                    + ""","credential":"c","actions":["read"]}""",
                "",
                "",
                "",
                """{"text":"x"}""",
                """{"text":"x"}""",
                """{"text":"x"}""",
                """{"version":8,"reason":"r"}""",
                """{"text":"x","from":"2098-12-02T00:00:00+00:00"}""",
            ],
            _broker.Calls.Select(call => call.Body)
        );
    }

    [Fact]
    public async Task An_executors_requests_are_asked_for_by_page()
    {
        _broker.On("GET /v1/requests", new() { Requests = [] }, BrokerJson.Default.ExecutorRequestListResponse);

        Assert.Empty((await Agent().ListRequestsAsync()).Requests);
        await Agent().ListRequestsAsync("a&b", 5);

        Assert.Equal(["", "?cursor=a%26b&limit=5"], _broker.Calls.Select(call => call.Query));
    }

    [Fact]
    public async Task A_problem_is_thrown_with_everything_it_says()
    {
        _broker.OnProblem("GET /v1/policy", "CB5001", "The store does not answer.", retryAfter: 5);

        var problem = await Assert.ThrowsAsync<BrokerProblemException>(() => Admin().GetPolicyAsync().AsTask());

        Assert.Equal(
            (503, "CB5001", TimeSpan.FromSeconds(5), "trace-1"),
            (problem.Status, problem.Code, problem.RetryAfter, problem.Problem.TraceId)
        );
        Assert.Equal("CB5001: Store unavailable: The store does not answer.", problem.Message);
    }

    [Theory]
    [InlineData("text/html", "<html>Bad gateway</html>")]
    [InlineData("application/json", "[1]")]
    [InlineData("application/problem+json", "{\"title\":")]
    public async Task An_error_that_is_not_the_brokers_has_no_code(string contentType, string body)
    {
        _broker.On(
            "GET /v1/policy",
            context =>
            {
                (context.Response.StatusCode, context.Response.ContentType) = (502, contentType);
                return context.Response.WriteAsync(body);
            }
        );

        var problem = await Assert.ThrowsAsync<BrokerProblemException>(() => Admin().GetPolicyAsync().AsTask());

        Assert.Equal((502, null), (problem.Status, problem.Code));
        Assert.DoesNotContain("html", problem.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"leaseId":"l","secret":{"type":"database","username":"u","password":"hunter2""")]
    [InlineData(
        """{"leaseId":"l","secret":{"type":"hunter2","data":{}}"""
            + ""","expiresAt":"2099-01-01T00:00:00Z","decision":{"id":"d","policyVersion":1}}"""
    )]
    [InlineData(
        """{"leaseId":"l","secret":{"type":"token","token":"hunter2","address":"a"}"""
            + ""","expiresAt":"hunter2","decision":{"id":"d","policyVersion":1}}"""
    )]
    [InlineData("\"hunter2\"")]
    [InlineData("null")]
    public async Task An_answer_that_cannot_be_read_is_never_quoted(string body)
    {
        _broker.On(
            "POST /v1/credentials",
            context =>
            {
                context.Response.ContentType = "application/json";
                return context.Response.WriteAsync(body);
            }
        );

        var problem = await Assert.ThrowsAsync<BrokerProblemException>(() =>
            Agent()
                .ExchangeAsync(
                    new()
                    {
                        Task = Lease.Task,
                        Credential = "c",
                        Actions = ["read"],
                    }
                )
                .AsTask()
        );

        Assert.DoesNotContain("hunter2", problem.ToString(), StringComparison.Ordinal);
        Assert.Equal("Answer not understood", problem.Problem.Title);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hunter2\r\nX-Evil: 1")]
    [InlineData("hunter2 hunter3")]
    public async Task A_token_that_is_none_is_refused_and_not_quoted(string token)
    {
        var connection = new BrokerConnection(_http, TokenSource.From(_ => ValueTask.FromResult(token)));
        var fault = await Assert.ThrowsAsync<TokenSourceException>(() =>
            new AdminClient(connection).GetPolicyAsync().AsTask()
        );

        Assert.DoesNotContain("hunter", fault.ToString(), StringComparison.Ordinal);
        Assert.Empty(_broker.Calls);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://broker.example")]
    [InlineData("ftp://127.0.0.1")]
    public void A_base_address_that_would_send_tokens_in_clear_is_refused(string? address)
    {
        using var clear = new HttpClient(new SocketsHttpHandler())
        {
            BaseAddress = address is null ? null : new Uri(address),
        };

        Assert.Throws<ArgumentException>(() => new BrokerConnection(clear, TokenSource.From(_ => new("t"))));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    public async Task An_id_cannot_climb_out_of_its_path(string id) =>
        await Assert.ThrowsAsync<ArgumentException>(() => Agent().GetLeaseAsync(id).AsTask());

    [Fact]
    public async Task The_catalogue_is_asked_for_as_the_agent()
    {
        _broker.On(
            "GET /v1/catalogue",
            new() { PolicyVersion = 3, Entries = [] },
            BrokerJson.Default.CatalogueResponse
        );
        Assert.Equal(3, (await Agent().GetCatalogueAsync()).PolicyVersion);
    }

    [Fact]
    public async Task Where_people_log_in_is_asked_without_a_token_and_whom_the_broker_sees_with_it()
    {
        _broker.On("GET /v1/login", new() { Issuers = [] }, BrokerJson.Default.LoginResponse);
        _broker.On(
            "GET /v1/whoami",
            new() { TokenExpiresAt = CliFixture.Later, Person = new("https://idp", "ada", [], []) },
            BrokerJson.Default.WhoamiResponse
        );
        Assert.Empty((await Connect().GetLoginAsync()).Issuers);
        Assert.Equal("ada", (await Connect().WhoamiAsync()).Person?.Subject);
        Assert.Equal([false, true], _broker.Calls.Select(call => call.Authorization.Length > 0));
    }

    [Fact]
    public async Task An_unhealthy_broker_is_an_answer_and_no_token_is_sent()
    {
        _broker.On(
            "GET /health/issuing",
            new()
            {
                Status = "unavailable",
                Parts =
                [
                    new()
                    {
                        Name = "vault",
                        Status = "unavailable",
                        Code = "CB4002",
                    },
                ],
            },
            BrokerJson.Default.HealthResponse,
            503
        );

        Assert.Equal("CB4002", Assert.Single((await Connect().GetHealthAsync("issuing")).Parts).Code);
        Assert.Equal("", Assert.Single(_broker.Calls).Authorization);
    }

    [Fact]
    public async Task A_secret_is_read_in_the_schema_of_its_engine()
    {
        _broker.On(
            "POST /v1/credentials",
            new()
            {
                LeaseId = "l",
                Secret = CliFixture.Database,
                ExpiresAt = CliFixture.Later,
                TtlCut = true,
                Decision = new("d", 3),
            },
            BrokerJson.Default.ExchangeResponse,
            (int)HttpStatusCode.Created
        );

        var reply = await Agent()
            .ExchangeAsync(
                new()
                {
                    Task = Lease.Task,
                    Credential = "c",
                    Actions = ["read"],
                    ToolCall = new() { Name = "query", Arguments = JsonElement.Parse("""{"limit":5}""") },
                    IdempotencyKey = "k",
                }
            );

        Assert.Equal(CliFixture.Database, reply.Secret);
        Assert.True(reply.TtlCut);
    }

    private BrokerConnection Connect() => new(_http, TokenSource.From(_ => new("a.b.c")));

    private AgentClient Agent() => new(Connect());

    private AdminClient Admin() => new(Connect());
}
