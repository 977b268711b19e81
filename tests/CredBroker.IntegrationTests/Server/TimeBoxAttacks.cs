using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// Time boxes over the wire, and attempts to get more out of one than people gave: each is a new question, and no secret is
/// made. Once on each store.
/// </summary>
public abstract class TimeBoxAttacks
{
    private const string Offered = """{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h }""";

    [Fact]
    public async Task The_same_is_issued_again_without_asking_and_people_see_it()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);
        await IssuedAsync(desk, With(task: """{"id":"t-1","process":"invoice-triage","purpose":"pay invoice 8"}"""));
        Assert.Equal(2, broker.Vault.Minted);

        var listed = Assert.Single((await ListAsync(broker, desk.Lead())).EnumerateArray());
        Assert.Equal(
            (id, "open", 2, "billing-readonly"),
            (
                listed.GetProperty("approvalId").GetString(),
                listed.GetProperty("state").GetString(),
                listed.GetProperty("uses").GetInt32(),
                listed.GetProperty("credential").GetString()
            )
        );
        Assert.Equal("30m", listed.GetProperty("agreements")[0].GetProperty("timeBox").GetString());
        var used = Assert.Single(await desk.EventsAsync("timebox.used"));
        Assert.Equal(id, used.GetProperty("details").GetProperty("approval").GetString());
        var allowed = (await desk.EventsAsync("request.allowed"))[1].GetProperty("details").GetProperty("approval");
        Assert.Equal(id, allowed.GetProperty("id").GetString());
        Assert.True(allowed.GetProperty("timeBox").TryGetProperty("endsAt", out _));
    }

    [Theory]
    [InlineData("task", """{"id":"t-2","process":"invoice-triage","purpose":"pay invoice 7"}""")]
    [InlineData("credential", "\"vault-token\"")]
    [InlineData("actions", """["summarise"]""")]
    [InlineData("actions", """["read","summarise"]""")]
    [InlineData("resource", "\"another\"")]
    [InlineData("ttl", "\"6m\"")]
    [InlineData("ttl", null)]
    [InlineData("toolCall", """{"name":"pay","arguments":{"amount":10000,"to":"DE1"}}""")]
    [InlineData("toolCall", """{"name":"pay","arguments":{"amount":10,"to":"DE2"}}""")]
    [InlineData("toolCall", """{"name":"erase","arguments":{"amount":10,"to":"DE1"}}""")]
    [InlineData("toolCall", null)]
    public async Task What_is_more_than_people_gave_is_a_new_question(string member, string? json)
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);
        var wider = Body();
        wider.Remove(member);
        if (json is not null)
        {
            wider[member] = JsonNode.Parse(json);
        }

        await AskedAsync(desk, id, wider);
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id, wider), 1, "CB3005");
        await IssuedAsync(desk);
        Assert.Equal(2, broker.Vault.Minted);
    }

    [Fact]
    public async Task Another_instance_another_key_or_another_workload_is_not_in_it()
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
        keys!.Key = new(ConfirmationKeyKind.Jwk, "key-1");
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);

        await AskedAsync(desk, id, token: broker.Agent("i-2"));
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent("i-2"), id, Body()), 1, "CB3001");
        await desk.RefusedAsync(await desk.ExchangeAsync(broker.Workload("helper"), id, Body()), 1, "CB3001");
        foreach (var other in (ConfirmationKey?[])[new(ConfirmationKeyKind.Jwk, "key-2"), null])
        {
            keys.Key = other;
            await AskedAsync(desk, id);
            await desk.RefusedAsync(await desk.ExchangeAsync(broker.Agent(), id, Body()), 1, "CB3001");
        }

        keys.Key = new(ConfirmationKeyKind.Jwk, "key-1");
        await IssuedAsync(desk);
    }

    [Theory]
    // The catalogue's name leads elsewhere; other people; a longer time box.
    [InlineData("role: cb-test-billing-readonly", "role: cb-test-billing-owner")]
    [InlineData("\"group:leads\"]", "\"group:others\"]")]
    [InlineData("timeBox: 1h", "timeBox: 2h")]
    public async Task What_resolves_to_something_else_ends_it_as_the_preview_said(string old, string changed)
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);
        var policy = ApprovalDesk.Replace(ApprovalDesk.Policy(Offered), (old, changed));
        using (
            var preview = await broker.SendAsync(
                HttpMethod.Post,
                "/v1/policy/preview",
                broker.Person("admin"),
                Api.Json(new JsonObject { ["text"] = policy }.ToJsonString())
            )
        )
        {
            var said = await preview.ReadAsync(HttpStatusCode.OK);
            Assert.Equal(1, said.GetProperty("openTimeBoxes").GetInt32());
            var ended = Assert.Single(said.GetProperty("endedTimeBoxes").EnumerateArray());
            Assert.Equal(
                (id, "challenge", "triage-reads"),
                (
                    ended.GetProperty("approvalId").GetString(),
                    ended.GetProperty("effect").GetString(),
                    ended.GetProperty("rule").GetString()
                )
            );
        }

        await File.WriteAllTextAsync(broker.PolicyFile, policy);
        await EndedAsync(desk, id, "policy-change");
        await AskedAsync(desk, id);
    }

    [Fact]
    public async Task A_hold_ends_it_for_good()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);
        using var held = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/holds",
            broker.Person("admin"),
            Api.Json("""{"agent":"triage","reason":"incident"}""")
        );
        var hold = (await held.ReadAsync(HttpStatusCode.Created)).GetProperty("holdId").GetString();
        await EndedAsync(desk, id, "held");
        using var lifted = await broker.SendAsync(
            HttpMethod.Post,
            $"/v1/holds/{hold}/lift",
            broker.Person("admin"),
            Api.Json("""{"reason":"over"}""")
        );
        Assert.True(lifted.IsSuccessStatusCode, await lifted.Content.ReadAsStringAsync());
        await AskedAsync(desk, id);
    }

    [Fact]
    public async Task An_order_about_a_lease_of_it_ends_it()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);
        var lease = await IssuedAsync(desk);
        using var ordered = await broker.SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            broker.Person("admin"),
            Api.Json($$"""{"lease":"{{lease}}","reason":"incident"}""")
        );
        await ordered.ReadAsync(HttpStatusCode.Accepted);
        await EndedAsync(desk, id, "revoked");
        await AskedAsync(desk, id, minted: 2);
    }

    [Fact]
    public async Task Its_time_ends_it()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk, "1s");
        await EndedAsync(desk, id, "expired");
        await AskedAsync(desk, id);
    }

    [Fact]
    public async Task Nobody_gives_more_than_is_offered()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var asked = await desk.AskAsync(body: Body());
        using (var shown = await broker.SendAsync(HttpMethod.Get, $"/v1/approvals/{asked.Id}", desk.Lead()))
        {
            Assert.Equal("1h", (await shown.ReadAsync(HttpStatusCode.OK)).GetProperty("timeBoxOffered").GetString());
        }

        foreach (
            var (given, code) in new[] { ("3601s", "CB3013"), ("24h", "CB3013"), ("0s", "CB6001"), ("-1h", "CB6001") }
        )
        {
            using var said = await SayAsync(desk, asked, given);
            await said.ReadProblemAsync(code);
        }

        Assert.Equal("pending", await desk.FindStateAsync(asked.Id));
    }

    [Fact]
    public async Task Who_may_takes_it_back_and_has_its_leases_revoked()
    {
        await using var broker = await StartAsync();
        var desk = new ApprovalDesk(broker);
        var id = await OpenAsync(desk);
        await IssuedAsync(desk);
        var other = broker.People.Token(
            "eve",
            claims => (claims["roles"], claims["groups"]) = (new[] { "approver" }, new[] { "others" })
        );
        Assert.Equal(0, (await ListAsync(broker, other)).GetArrayLength());
        using (var refused = await RevokeAsync(broker, id, other))
        {
            await refused.ReadProblemAsync("CB3001");
        }

        foreach (var token in new[] { broker.Person("viewer"), broker.Person("auditor") })
        {
            using var refused = await RevokeAsync(broker, id, token);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        using (var taken = await RevokeAsync(broker, id, desk.Lead("bob")))
        {
            var ended = await taken.ReadAsync(HttpStatusCode.OK);
            Assert.Equal(
                ("ended", "taken-back", 32),
                (
                    ended.GetProperty("state").GetString(),
                    ended.GetProperty("cause").GetString(),
                    ended.GetProperty("revocationId").GetString()!.Length
                )
            );
        }

        await Eventually.BecomesTrueAsync(() => Task.FromResult(broker.Vault.Live.Count == 0), "the secrets' end");
        await AskedAsync(desk, id, minted: 2);
        Assert.Equal(0, (await ListAsync(broker, desk.Lead())).GetArrayLength());
    }

    private protected abstract Task<TestBroker> StartAsync(string policy, Action<IServiceCollection>? replace);

    private Task<TestBroker> StartAsync(Action<IServiceCollection>? replace = null) =>
        StartAsync(ApprovalDesk.Policy(Offered), replace);

    /// <summary>What is asked for here: one action, for five minutes.</summary>
    private protected static JsonObject Body()
    {
        var body = ApprovalDesk.With("ttl", "\"5m\"");
        body["resource"] = "invoice 7";
        return body;
    }

    /// <summary>Asked, agreed to with a time box, and redeemed: the reference.</summary>
    private protected static async Task<string> OpenAsync(ApprovalDesk desk, string timeBox = "30m")
    {
        var asked = await desk.AskAsync(body: Body());
        using var said = await SayAsync(desk, asked, timeBox);
        Assert.Equal(timeBox, (await said.ReadAsync(HttpStatusCode.OK)).GetProperty("timeBox").GetString());
        await desk.RedeemsAsync(asked.Id, body: Body());
        return asked.Id;
    }

    private protected static async Task<string> IssuedAsync(
        ApprovalDesk desk,
        JsonObject? body = null,
        string? token = null
    )
    {
        using var issued = await desk.ExchangeAsync(token ?? desk.Broker.Agent(), body: body ?? Body());
        return (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString()!;
    }

    private protected static async Task AskedAsync(
        ApprovalDesk desk,
        string id,
        JsonObject? body = null,
        string? token = null,
        int minted = 1
    )
    {
        var asked = await desk.AskAsync(token, body ?? Body());
        Assert.NotEqual(id, asked.Id);
        Assert.Equal(minted, desk.Broker.Vault.Minted);
    }

    private protected static async Task EndedAsync(ApprovalDesk desk, string id, string cause)
    {
        await Eventually.BecomesTrueAsync(
            async () => (await desk.EventsAsync("timebox.ended")).Count > 0,
            "the time box ends"
        );
        var ended = Assert.Single(await desk.EventsAsync("timebox.ended"));
        Assert.Equal(
            (id, cause),
            (ended.GetProperty("details").GetProperty("approval").GetString(), ended.GetProperty("reason").GetString())
        );
    }

    private protected static Task<HttpResponseMessage> RevokeAsync(
        TestBroker broker,
        string id,
        string token,
        bool leases = true
    ) =>
        broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{id}/revoke-box",
            token,
            Api.Json($$"""{"reason":"enough","leases":{{(leases ? "true" : "false")}}}""")
        );

    private static JsonObject With(string task)
    {
        var body = Body();
        body["task"] = JsonNode.Parse(task);
        return body;
    }

    private static async Task<JsonElement> ListAsync(TestBroker broker, string token)
    {
        using var listed = await broker.SendAsync(HttpMethod.Get, "/v1/approvals/boxes", token);
        return (await listed.ReadAsync(HttpStatusCode.OK)).GetProperty("timeBoxes");
    }

    private static Task<HttpResponseMessage> SayAsync(
        ApprovalDesk desk,
        (string Id, string Digest) asked,
        string timeBox
    ) =>
        desk.Broker.SendAsync(
            HttpMethod.Post,
            $"/v1/approvals/{asked.Id}/approve",
            desk.Lead(),
            Api.Json($$"""{"digest":"{{asked.Digest}}","timeBox":"{{timeBox}}"}""")
        );

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
