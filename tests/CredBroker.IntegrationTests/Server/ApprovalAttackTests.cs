using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// Attempts to get more out of an approval than people gave. Each is refused with its code, is on record, and no secret
/// is made.
/// </summary>
public sealed class ApprovalAttackTests
{
    [Theory]
    [InlineData("task", """{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 8"}""")]
    [InlineData("task", """{"id":"t-2","process":"invoice-triage","purpose":"pay invoice 7"}""")]
    [InlineData("credential", "\"vault-token\"")]
    [InlineData("actions", """["read","summarise"]""")]
    [InlineData("resource", "\"another\"")]
    [InlineData("ttl", "\"9m\"")]
    [InlineData("toolCall", """{"name":"pay","arguments":{"amount":10000,"to":"DE1"}}""")]
    [InlineData("toolCall", """{"name":"pay","arguments":{"amount":10,"to":"DE2"}}""")]
    [InlineData("toolCall", """{"name":"pay","arguments":{"amount":10,"to":"DE1","also":1}}""")]
    [InlineData("toolCall", """{"name":"erase","arguments":{"amount":10,"to":"DE1"}}""")]
    [InlineData("toolCall", "null")]
    public async Task Another_body_after_the_approval_is_refused_and_uses_nothing_up(string member, string json)
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();
        var body = ApprovalDesk.With(member, json);
        if (json == "null")
        {
            body.Remove(member);
        }
        else if (json == "\"vault-token\"")
        {
            body["actions"] = new JsonArray("read");
        }

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id, body), 0, "CB3006");

        await desk.RedeemsAsync(id);
        Assert.Equal(1, broker.Vault.Minted);
    }

    [Theory]
    // The catalogue's name leads elsewhere.
    [InlineData("role: cb-test-billing-readonly", "role: cb-test-billing-owner")]
    [InlineData("host: billing-db", "host: another-db")]
    // Nobody, other people, more people, for a longer time; another life.
    [InlineData(
        "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m }",
        "effect: allow"
    )]
    [InlineData("\"group:leads\"]", "\"group:others\"]")]
    [InlineData("\"group:leads\"]", "\"group:leads\"], quorum: 2")]
    [InlineData("maxTtl: 10m\n  - id: nobody", "maxTtl: 5m\n  - id: nobody")]
    public async Task What_resolves_to_something_else_after_the_approval_is_refused(string old, string changed)
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();

        await ApplyAsync(broker, ApprovalDesk.Replace(ApprovalDesk.Policy(), (old, changed)));

        // By what it resolves to, or because the sweep was there first.
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id), 0, "CB3006", "CB3007");
        await VoidedAsync(desk, id);
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id), 0, "CB3007");
    }

    [Fact]
    public async Task A_policy_that_denies_after_the_approval_is_obeyed()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();

        await ApplyAsync(
            broker,
            ApprovalDesk.Replace(
                ApprovalDesk.Policy(),
                ("when: credential.name == \"forbidden\"", "when: credential.name == \"billing-readonly\"")
            )
        );

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id), 0, "CB2002", "CB3007");
        await VoidedAsync(desk, id);
    }

    [Fact]
    public async Task A_reference_is_good_once_and_for_one_of_many_at_a_time()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();

        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => desk.ExchangeAsync(broker.Agent(), id)));

        Assert.Single(replies, reply => reply.StatusCode == HttpStatusCode.Created);
        foreach (var reply in replies.Where(reply => reply.StatusCode != HttpStatusCode.Created))
        {
            await desk.RefusedAsync(reply, 1, "CB3005");
        }

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id), 1, "CB3005");
        Assert.Single(await desk.EventsAsync("approval.redeemed"));
        Assert.Single(await desk.EventsAsync("lease.issued"));
    }

    [Fact]
    public async Task Another_identity_finds_no_such_approval()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent("i-2"), id), 0, "CB3001");
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Workload("helper"), id), 0, "CB3001");

        await desk.RedeemsAsync(id);
    }

    [Fact]
    public async Task Another_key_of_the_same_identity_finds_no_such_approval()
    {
        Keyed? keys = null;
        await using var broker = await StartAsync(replace: services =>
            services.Replace(
                ServiceDescriptor.Singleton<IWorkloadVerifier>(provider =>
                    keys = new(ActivatorUtilities.CreateInstance<WorkloadVerifier>(provider))
                )
            )
        );
        _ = broker.Services.GetRequiredService<IWorkloadVerifier>();
        var desk = new ApprovalDesk(broker);
        keys!.Key = new(ConfirmationKeyKind.Jwk, "key-1");
        var id = await desk.ApprovedAsync();

        foreach (
            var other in (ConfirmationKey?[])
                [new(ConfirmationKeyKind.Jwk, "key-2"), new(ConfirmationKeyKind.Certificate, "key-1"), null]
        )
        {
            keys.Key = other;
            await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id), 0, "CB3001");
            using var polled = await broker.SendAsync(HttpMethod.Get, $"/v1/requests/{id}", broker.Agent());
            await polled.ReadProblemAsync("CB3001");
        }

        keys.Key = new(ConfirmationKeyKind.Jwk, "key-1");
        await desk.RedeemsAsync(id);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reply_that_is_lost_has_used_the_approval_up(bool hasKey)
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();
        var (begun, goOn) = (New(), New());
        broker.Vault.BeforeMint = () =>
        {
            begun.SetResult();
            return goOn.Task;
        };
        var body = ApprovalDesk.Body();
        body["approvalId"] = id;
        if (hasKey)
        {
            body["idempotencyKey"] = "key-1";
        }

        using (var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }))
        using (var hangUp = new CancellationTokenSource())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(broker.Addresses[0], "v1/credentials"))
            {
                Content = Api.Json(body.ToJsonString()),
                Headers = { Authorization = new("Bearer", broker.Agent()) },
            };
            var lost = client.SendAsync(request, hangUp.Token);
            await begun.Task.WaitAsync(Patience.Limit);
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);
        }

        broker.Vault.BeforeMint = () => Task.CompletedTask;
        goOn.SetResult();
        await Eventually.BecomesTrueAsync(
            async () => (await desk.EventsAsync("lease.issued")).Count == 1,
            "the secret is made, though nobody hears of it"
        );

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), body: body), 1, "CB3005");
        var found = await desk.FindAsync(id);
        Assert.Equal("redeemed", found.GetProperty("state").GetString());
        // Whoever is called knows which one it is.
        using var revoked = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json($$"""{"lease":"{{found.GetProperty("leaseId").GetString()}}","reason":"lost"}""")
        );
        await revoked.ReadAsync(HttpStatusCode.Accepted);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(broker.Vault.Live.Count == 0), "the lost secret's end");

        static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [Fact]
    public async Task After_its_time_it_is_neither_approved_nor_redeemed()
    {
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await StartAsync(
            ApprovalDesk.Policy("""{ approvers: ["group:leads"], expiresAfter: 1m }"""),
            services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock))
        );
        var desk = new ApprovalDesk(broker);
        var approved = await desk.ApprovedAsync();
        var asked = await desk.AskAsync(body: ApprovalDesk.With("resource", "\"another\""));

        clock.Advance(TimeSpan.FromSeconds(61));

        using (var said = await desk.AgreeAsync(asked))
        {
            await said.ReadProblemAsync("CB3009");
        }

        Assert.Contains(
            await desk.EventsAsync("admin.action"),
            refused => refused.GetProperty("reason").GetString() == "CB3009"
        );
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), approved), 0, "CB3004");
        Assert.Single(await desk.EventsAsync("approval.agreed"));
    }

    [Fact]
    public async Task Nobody_approves_their_own_request_by_a_second_token()
    {
        await using var broker = await StartAsync();
        // One issuer for both kinds, told apart by the audience: then a person can be the one that asks.
        await broker.RestartAsync(
            ApprovalDesk.Settings(
                ("Identity:Issuers:1:Issuer", broker.Workloads.Issuer),
                ("Identity:Issuers:1:Jwks:File", broker.Workloads.JwksFile)
            )
        );
        var desk = new ApprovalDesk(broker);
        var asked = await desk.AskAsync();

        foreach (
            var groups in (string[][])
                [
                    ["leads"],
                    ["leads", "others"],
                ]
        )
        {
            using var said = await desk.AgreeAsync(asked, Human("triage-i-1", groups));
            await said.ReadProblemAsync("CB3010");
            using var listed = await broker.SendAsync(HttpMethod.Get, "/v1/approvals", Human("triage-i-1", groups));
            Assert.Empty(
                (await listed.ReadAsync(HttpStatusCode.OK)).GetProperty("approvals").EnumerateArray().ToList()
            );
        }

        using var export = await broker.SendAsync(
            HttpMethod.Get,
            "/v1/audit/export",
            broker.Workloads.Token(
                "auditor-1",
                claims => (claims["aud"], claims["roles"]) = ("credbroker-admin", new[] { "auditor" })
            )
        );
        Assert.Contains(
            (await export.Content.ReadAsStringAsync()).Split('\n'),
            line =>
                line.Contains("\"type\":\"admin.action\"", StringComparison.Ordinal)
                && line.Contains("\"reason\":\"CB3010\"", StringComparison.Ordinal)
        );
        using (var refused = await desk.ExchangeAsync(broker.Agent(), asked.Id))
        {
            await refused.ReadProblemAsync("CB3002");
        }

        Assert.Equal(0, broker.Vault.Minted);
        // Somebody else of the same issuer and group does.
        using var agreed = await desk.AgreeAsync(asked, Human("ann", ["leads"]));
        Assert.Equal("approved", (await agreed.ReadAsync(HttpStatusCode.OK)).GetProperty("state").GetString());

        string Human(string subject, string[] groups) =>
            broker.Workloads.Token(
                subject,
                claims =>
                    (claims["aud"], claims["roles"], claims["groups"]) = (
                        "credbroker-admin",
                        new[] { "approver" },
                        groups
                    )
            );
    }

    [Fact]
    public async Task An_agents_token_with_an_approvers_group_and_role_approves_nothing()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var asked = await desk.AskAsync();
        foreach (var audience in (string[])["credbroker", "credbroker-admin"])
        {
            using var said = await desk.AgreeAsync(
                asked,
                broker.Workloads.Token(
                    "stranger-i-1",
                    claims =>
                    {
                        (claims["aud"], claims["workload"], claims["instance"]) = (audience, "stranger", "i-1");
                        (claims["groups"], claims["roles"]) = (new[] { "leads" }, new[] { "approver" });
                    }
                )
            );
            Assert.Equal(HttpStatusCode.Unauthorized, said.StatusCode);
            var code = JsonElement.Parse(await said.Content.ReadAsStringAsync()).GetProperty("code").GetString();
            Assert.Contains(
                await desk.EventsAsync("request.refused"),
                refused => refused.GetProperty("reason").GetString() == code
            );
        }

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), asked.Id), 0, "CB3002");
        Assert.Empty(await desk.EventsAsync("approval.agreed"));
    }

    [Fact]
    public async Task A_preparer_brings_no_key_to_what_an_executor_redeems()
    {
        await using var broker = await StartAsync(ApprovalDesk.Policy(ApprovalDesk.LeftToHelper));
        var desk = new ApprovalDesk(broker);
        var body = ApprovalDesk.With("credential", "\"agent-mtls\"");
        body["actions"] = new JsonArray("connect");
        var withCsr = body.DeepClone().AsObject();
        withCsr["csr"] = Csr();

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), body: withCsr), 0, "CB3012");
        Assert.Empty(await desk.EventsAsync("approval.requested"));

        var id = await desk.ApprovedAsync(body: body);
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id, withCsr), 0, "CB3012");
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id, body), 0, "CB3012");

        await desk.RedeemsAsync(id, broker.Workload("helper"), withCsr);
        Assert.Equal(1, broker.Vault.Minted);
        var issued = Assert.Single(await desk.EventsAsync("lease.issued"));
        Assert.Equal("helper-i-1", issued.GetProperty("actor").GetProperty("subject").GetString());
    }

    [Fact]
    public async Task Who_became_the_executor_after_the_approval_redeems_nothing()
    {
        await using var broker = await StartAsync(ApprovalDesk.Policy(ApprovalDesk.LeftToHelper));
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();

        await ApplyAsync(
            broker,
            ApprovalDesk.Replace(
                ApprovalDesk.Policy(ApprovalDesk.LeftToHelper),
                ("identity.workload == \"helper\"", "identity.workload == \"thief\"")
            )
        );

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Workload("thief"), id), 0, "CB3006", "CB3007");
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Workload("helper"), id), 0, "CB3001", "CB3007");
        await VoidedAsync(desk, id);
    }

    [Theory]
    [InlineData("agents: [triage, helper]", "agents: [triage]")]
    [InlineData("identity.workload == \"helper\"", "identity.workload == \"thief\"")]
    public async Task What_an_executor_holds_ends_when_policy_admits_it_no_more(string old, string changed)
    {
        await using var broker = await StartAsync(ApprovalDesk.Policy(ApprovalDesk.LeftToHelper));
        var desk = new ApprovalDesk(broker);
        await desk.RedeemsAsync(await desk.ApprovedAsync(), broker.Workload("helper"));
        Assert.Single(broker.Vault.Live);

        await ApplyAsync(broker, ApprovalDesk.Replace(ApprovalDesk.Policy(ApprovalDesk.LeftToHelper), (old, changed)));

        await Eventually.BecomesTrueAsync(() => Task.FromResult(broker.Vault.Live.Count == 0), "the secret's end");
    }

    [Fact]
    public async Task A_hold_after_the_approval_refuses_and_uses_nothing_up()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await desk.ApprovedAsync();
        using var held = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/holds",
            broker.Person("admin"),
            Api.Json("""{"agent":"triage","reason":"incident"}""")
        );
        var hold = (await held.ReadAsync(HttpStatusCode.Created)).GetProperty("holdId").GetString();

        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id), 0, "CB2017");

        using var lifted = await broker.SendAsync(
            HttpMethod.Post,
            $"/v1/holds/{hold}/lift",
            broker.Person("admin"),
            Api.Json("""{"reason":"over"}""")
        );
        Assert.True(lifted.IsSuccessStatusCode, await lifted.Content.ReadAsStringAsync());
        await desk.RedeemsAsync(id);
    }

    private static Task<TestBroker> StartAsync(string? policy = null, Action<IServiceCollection>? replace = null) =>
        TestBroker.StartAsync(ApprovalDesk.Settings(), policy ?? ApprovalDesk.Policy(), replace: replace);

    private static async Task ApplyAsync(TestBroker broker, string policy)
    {
        await File.WriteAllTextAsync(broker.PolicyFile, policy);
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                using var read = await broker.SendAsync(HttpMethod.Get, "/v1/policy", broker.Person("admin"));
                return (await read.ReadAsync(HttpStatusCode.OK)).GetProperty("version").GetInt64() == 2;
            },
            "the new policy is in force"
        );
    }

    private static async Task VoidedAsync(ApprovalDesk desk, string id)
    {
        await Eventually.BecomesTrueAsync(
            async () => (await desk.FindStateAsync(id)) == "voided",
            "the approval is taken back"
        );
        var voided = Assert.Single(await desk.EventsAsync("approval.voided"));
        Assert.Equal("policy-change", voided.GetProperty("reason").GetString());
    }

    private static string Csr()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
    }

    /// <summary>A verifier whose callers have proven a key, as proofs of possession will say.</summary>
    private sealed class Keyed(IWorkloadVerifier inner) : IWorkloadVerifier
    {
        public ConfirmationKey? Key { get; set; }

        public async ValueTask<VerificationOutcome> VerifyAsync(
            IdentityProof proof,
            CancellationToken cancellationToken
        ) =>
            await inner.VerifyAsync(proof, cancellationToken) is var outcome
            && outcome is VerificationOutcome.Verified verified
                ? new VerificationOutcome.Verified(verified.Identity with { ConfirmationKey = Key })
                : outcome;
    }
}
