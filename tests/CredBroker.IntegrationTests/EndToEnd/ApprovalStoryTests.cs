using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Identity;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// A credential that writes: prepared by an agent, approved by a person, redeemed and used by another agent. OpenBao makes
/// it, PostgreSQL takes it and keeps the broker's store.
/// </summary>
public sealed class ApprovalStoryTests
{
    private const string Writer = "billing-writer";
    private const string Challenge = """
          - id: writes-need-a-person
            effect: challenge
            when: agent == "triage" && credential.name == "billing-writer"
            approval: { approvers: ["group:leads"], expiresAfter: 30m, executor: payments-executor }
        """;

    [Fact]
    public async Task What_a_person_approves_is_used_by_the_executor_and_the_agent_never_sees_it()
    {
        await using var provider = await OidcProcess.StartAsync("people.js", new Dictionary<string, string>());
        PostgresSchema? schema = null;
        await using var world = await StartAsync(made => schema = made);
        using var _ = schema!;
        await world.KillBrokerAsync();
        // The approver comes from a real provider, whose address is plain http on loopback: a broker of this process.
        world.Settings["Identity:Issuers:1:Issuer"] = provider.Issuer;
        world.Settings["Identity:Issuers:1:Jwks:File"] = "";
        await using var app = BrokerHost.Build(
            new ConfigurationBuilder().AddInMemoryCollection(world.Settings).Build(),
            devMode: true
        );
        await app.StartAsync();
        var heard = new Recorder();
        using var toAgent = new HttpClient(heard) { BaseAddress = new(app.Urls.Single()) };
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(app.Urls.Single()),
        };
        var agent = new AgentClient(Connect(toAgent, world.Token()));
        var executor = new AgentClient(Connect(http, world.Token(workload: "executor")));
        var bea = new AdminClient(Connect(http, await LogInAsync(provider, "bea")));
        await Eventually.BecomesTrueAsync(
            async () => (await Connect(http, "").GetHealthAsync("issuing")).Status == "ok",
            "the broker issues"
        );

        var asked = (
            await Assert.ThrowsAsync<ApprovalRequiredException>(async () => await agent.ExchangeAsync(Request))
        ).Request;
        var seen = Assert.Single((await bea.ListApprovalsAsync()).Approvals);
        Assert.Equal((asked.ApprovalId, asked.Digest), (seen.ApprovalId, seen.Digest));
        Assert.Equal(("write", "payments-executor"), (seen.Access, seen.Executor));
        Assert.Equal("approved", (await bea.ApproveAsync(asked.ApprovalId, new() { Digest = seen.Digest })).State);

        Assert.Equal(ApprovalStatuses.Approved, (await agent.GetRequestAsync(asked.ApprovalId)).Status);
        var redemption = Request with { ApprovalId = asked.ApprovalId };
        Assert.Equal("CB3012", await RefusedAsync(() => agent.ExchangeAsync(redemption)));
        Assert.Empty(await world.Postgres.IssuedUsersAsync());

        // The executor needs nothing from the agent: it finds what it may redeem, and what the person saw.
        var left = Assert.Single((await executor.ListRequestsAsync()).Requests);
        Assert.Equal((asked.ApprovalId, asked.Digest), (left.Approval.ApprovalId, left.Approval.Digest));
        Assert.Equal("bea", Assert.Single(left.Approval.Agreements).Subject);
        Assert.Empty((await agent.ListRequestsAsync()).Requests);
        var issued = await executor.ExchangeAsync(left.Body);
        var secret = Assert.IsType<DatabaseSecret>(issued.Secret);
        await using (var connection = await world.LogInAsync(secret))
        {
            await using var insert = new NpgsqlCommand("INSERT INTO billing.invoices VALUES (3, 7)", connection);
            Assert.Equal(1, await insert.ExecuteNonQueryAsync());
        }

        Assert.Equal(1, await world.Postgres.CountAsync("billing.invoices WHERE id = 3"));
        await executor.ReportAsync(issued.LeaseId, new() { Status = "succeeded", Summary = "one invoice" });
        var told = await agent.GetRequestAsync(asked.ApprovalId);
        Assert.Equal(
            (ApprovalStatuses.Redeemed, "succeeded", "one invoice"),
            (told.Status, told.Outcome?.Status, told.Outcome?.Summary)
        );
        Assert.Equal("CB6004", await RefusedAsync(async () => await agent.GetLeaseAsync(issued.LeaseId)));

        Assert.Equal(LeaseStates.Revoked, (await executor.ReleaseAsync(issued.LeaseId)).State);
        Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        Assert.Empty(await world.Postgres.IssuedUsersAsync());

        Assert.All(
            heard.Bodies,
            body =>
            {
                Assert.DoesNotContain(secret.Password, body, StringComparison.Ordinal);
                Assert.DoesNotContain(secret.Username, body, StringComparison.Ordinal);
            }
        );
        Assert.True(heard.Bodies.Count >= 5);
        Assert.DoesNotContain(secret.Password, await schema!.DumpAsync(), StringComparison.Ordinal);
        await app.StopAsync();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("exchange-prepared")]
    [InlineData("exchange-opened")]
    [InlineData("exchange-minted")]
    [InlineData("exchange-activated")]
    public async Task A_broker_that_is_killed_after_the_approval_leaves_nothing_unknown(string? failpoint)
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        await using var world = await StartAsync();
        await world.KillBrokerAsync();
        await world.StartBrokerAsync(failpoint);
        var asked = (
            await Assert.ThrowsAsync<ApprovalRequiredException>(async () => await world.Agent().ExchangeAsync(Request))
        ).Request;
        var redemption = Request with { ApprovalId = asked.ApprovalId };
        await world.Approver("leads").ApproveAsync(asked.ApprovalId, new() { Digest = asked.Digest });
        if (failpoint is not null)
        {
            var lost = Executor(world).ExchangeAsync(redemption).AsTask();
            await world.Broker.ReachedAsync(failpoint);
            await world.KillBrokerAsync(lost);
        }
        else
        {
            await world.KillBrokerAsync();
        }

        await world.StartBrokerAsync();
        await Eventually.BecomesTrueAsync(
            async () =>
                (await world.LeasesAsync()).All(lease => lease.State is LeaseStates.Active or LeaseStates.Revoked),
            "recovery has settled every lease"
        );
        var status = (await world.Agent().GetRequestAsync(asked.ApprovalId)).Status;
        if (failpoint is null or "exchange-prepared")
        {
            // Before it opens, a lease uses nothing up.
            Assert.Equal(ApprovalStatuses.Approved, status);
            await Executor(world).ExchangeAsync(redemption);
        }
        else
        {
            Assert.Equal(ApprovalStatuses.Redeemed, status);
            Assert.Equal("CB3005", await RefusedAsync(() => Executor(world).ExchangeAsync(redemption)));
        }

        var live = failpoint is null or "exchange-prepared" or "exchange-activated" ? 1 : 0;
        Assert.Equal(live, (await world.LeasesAsync()).Count(lease => lease.State == LeaseStates.Active));
        Assert.Equal(live, (await world.Postgres.IssuedUsersAsync()).Count);
        Assert.Equal(live, (await world.VaultLeasesAsync(Writer)).Count);
    }

    private static ExchangeRequest Request { get; } =
        new()
        {
            Task = new()
            {
                Id = "t-1",
                Process = "invoice-triage",
                Purpose = "book invoice 3",
            },
            Credential = Writer,
            Actions = ["write"],
            Ttl = TimeSpan.FromMinutes(5),
        };

    private static async Task<World> StartAsync(Action<PostgresSchema>? store = null)
    {
        var world = await World.StartAsync(
            prepare: async world =>
            {
                var schema = await PostgresSchema.MakeAsync(world.Postgres);
                world.Settings["Storage:Provider"] = "postgres";
                world.Settings["Storage:ConnectionStringFile"] = schema.ConnectionStringFile;
                store?.Invoke(schema);
            },
            credentials: world =>
                $$$"""
                      billing-writer:
                        vault:
                          engine: database
                          mount: database
                          role: cb-e2e-billing-writer
                          setup:
                            connection: billing
                            adminCredentialFile: {{{Path.Combine(world.Folder, "billing-admin")}}}
                            grants:
                              - GRANT USAGE ON SCHEMA billing TO "{{name}}"
                              - GRANT INSERT ON ALL TABLES IN SCHEMA billing TO "{{name}}"
                        access: write
                        impact: medium
                        reversible: true
                        actions: [write]
                        maxTtl: 10m
                        connection: { host: 127.0.0.1, port: {{{world.Postgres.Port}}}, database: billing, sslmode: disable }
                    """
        );
        try
        {
            await world.Postgres.ExecuteAsync("GRANT INSERT ON billing.invoices TO cb_admin WITH GRANT OPTION");
            await File.WriteAllTextAsync(
                world.PolicyFile,
                ApprovalDesk.Replace(
                    await File.ReadAllTextAsync(world.PolicyFile),
                    ("agents: [triage, triage-spire]", "agents: [triage, triage-spire, payments-executor]"),
                    (
                        "processes:\n",
                        "  payments-executor: { member: 'identity.issuer == \"https://workloads.test\" && identity.workload == \"executor\"' }\n"
                            + "processes:\n"
                    )
                )
                    + "\n"
                    + Challenge
            );
            await Eventually.BecomesTrueAsync(
                async () => (await world.Person("admin").GetPolicyAsync()).Version == 2,
                "the policy is in force"
            );
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    private static AgentClient Executor(World world) => new(world.Broker.Connect(world.Token(workload: "executor")));

    private static BrokerConnection Connect(HttpClient http, string token) =>
        new(http, TokenSource.From(_ => new(token)));

    private static async Task<string?> RefusedAsync<T>(Func<ValueTask<T>> call) =>
        (await Assert.ThrowsAsync<BrokerProblemException>(async () => await call())).Code;

    /// <summary>A person's access token, by the device flow (RFC 8628) of a certified provider.</summary>
    private static async Task<string> LogInAsync(OidcProcess provider, string name)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var begun = await PostAsync(
            "/device/auth",
            ("client_id", "credbroker-cli"),
            ("scope", "openid"),
            ("resource", "urn:credbroker-admin")
        );
        using var browser = new PersonAtBrowser(name);
        await browser.VisitAsync(new(begun.GetProperty("verification_uri_complete").GetString()!));
        var token = await PostAsync(
            "/token",
            ("client_id", "credbroker-cli"),
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", begun.GetProperty("device_code").GetString()!)
        );
        return token.GetProperty("access_token").GetString()!;

        async Task<JsonElement> PostAsync(string path, params (string Key, string Value)[] fields)
        {
            using var form = new FormUrlEncodedContent(
                fields.Select(field => KeyValuePair.Create(field.Key, field.Value))
            );
            using var reply = await http.PostAsync(new Uri(provider.Issuer + path), form);
            var text = await reply.Content.ReadAsStringAsync();
            Assert.True(reply.StatusCode == HttpStatusCode.OK, text);
            return JsonElement.Parse(text);
        }
    }

    /// <summary>Keeps every answer.</summary>
    private sealed class Recorder() : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        public ConcurrentQueue<string> Bodies { get; } = new();

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            var response = await base.SendAsync(request, cancellationToken);
            Bodies.Enqueue(await response.Content.ReadAsStringAsync(cancellationToken));
            return response;
        }
    }
}
