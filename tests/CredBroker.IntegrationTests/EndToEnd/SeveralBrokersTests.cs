using System.Text;
using CredBroker.Client;
using CredBroker.Core.Audit;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// Two broker processes on one PostgreSQL store and one OpenBao: what one is told holds on the other, and what one leaves
/// behind when it is killed the other brings to its end.
/// </summary>
public sealed class SeveralBrokersTests
{
    [Fact]
    public async Task What_one_broker_is_told_holds_on_the_other_at_once()
    {
        await using var world = await World.StartAsync(storeOnPostgres: true);
        var policyOfOther = Path.Combine(world.Folder, "policy-of-the-other.yaml");
        File.Copy(world.PolicyFile, policyOfOther);
        await using var other = await world.StartAnotherAsync(("Policy:File", policyOfOther));
        Assert.Equal(2, (await other.Connect("").GetHealthAsync("ready")).Brokers);
        var (here, there) = (world.Person("admin"), new AdminClient(other.Connect(world.PersonToken("admin"))));
        var agentThere = new AgentClient(other.Connect(world.Token()));

        // A quarantine: what the other one issued is dead, and it issues nothing more.
        var (leaseId, secret) = await world.IssueAsync(agentThere);
        var ordered = await here.RevokeAsync(
            new()
            {
                Agent = "triage",
                Reason = "incident",
                Hold = RevocationRequest.UntilLifted,
            }
        );
        // By the order, where the hold has not been heard of yet: what was asked may have been asked before it.
        Assert.Contains(await RefusedAsync(world, agentThere), new[] { "CB2017", "CB2015" });
        await Eventually.BecomesTrueAsync(
            async () => await RefusedAsync(world, agentThere) == "CB2017",
            "the hold has been heard of"
        );
        await world.ConfirmedAsync(leaseId, secret);
        await Eventually.BecomesTrueAsync(
            async () => (await there.GetRevocationAsync(ordered.RevocationId)).Complete,
            "the other one says that the order is complete, too"
        );

        // Lifted there, issued here.
        await there.LiftHoldAsync(ordered.HoldId!, new() { Reason = "over" });
        (leaseId, secret) = await world.IssueAsync(world.Agent(), task: "t-closed");

        // A task that is closed there, whose lease was issued here.
        await there.CloseTaskAsync("t-closed", new() { Process = "invoice-triage" });
        Assert.Equal("CB2013", await RefusedAsync(world, world.Agent(), "t-closed"));
        await world.ConfirmedAsync(leaseId, secret);

        // A release that is begun here of what was issued there.
        (leaseId, secret) = await world.IssueAsync(agentThere, task: "t-2");
        await world.Agent().ReleaseAsync(leaseId);
        Assert.Equal("revoked", (await agentThere.GetLeaseAsync(leaseId)).State);
        Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));

        // A policy edit here is in force there, whose own document is another one.
        (leaseId, secret) = await world.IssueAsync(agentThere, task: "t-3");
        await world.WritePolicyAsync(rule: "agent == \"triage\" && task.id == \"another\"");
        await Eventually.BecomesTrueAsync(
            async () => (await there.GetPolicyAsync()).Version == 2,
            "the new version is in force there"
        );
        Assert.Equal("CB2001", await RefusedAsync(world, agentThere, "t-3"));
        await world.ConfirmedAsync(leaseId, secret);
        var health = await other.Connect("").GetHealthAsync("issuing");
        Assert.Equal("ok", health.Status);
        Assert.Contains(
            "the policy file holds what an earlier version was",
            health.Parts.Single(part => part.Name == "policy").Detail
        );

        await AssertChainAsync(other, world);
    }

    [Fact]
    public async Task A_key_that_is_used_at_both_at_once_gives_one_secret()
    {
        await using var world = await World.StartAsync(storeOnPostgres: true);
        await using var other = await world.StartAnotherAsync();
        var agents = new[] { world.Agent(), new AgentClient(other.Connect(world.Token())) };
        for (var round = 0; round < 5; round++)
        {
            var outcomes = await Task.WhenAll(
                agents.Select(agent =>
                    Task.Run(async () =>
                    {
                        try
                        {
                            return (await ExchangeAsync(agent, $"key-{round}")).LeaseId;
                        }
                        catch (BrokerProblemException refused)
                        {
                            return refused.Code;
                        }
                    })
                )
            );
            // The second may have come when the first was through: then it has taken its place.
            Assert.All(outcomes, outcome => Assert.True(outcome is { Length: 32 } or "CB6007" or "CB6008", outcome));
            Assert.Single(await world.LeasesAsync(), lease => lease.State == LeaseStates.Active);
            await world.Person("admin").RevokeAsync(new() { Agent = "triage", Reason = "next round" });
            await Eventually.BecomesTrueAsync(
                async () => (await world.LeasesAsync()).All(lease => lease.State == LeaseStates.Revoked),
                "the round's leases are revoked"
            );
        }

        Assert.Empty(await world.Postgres.IssuedUsersAsync());
    }

    [Theory]
    [InlineData("exchange-minted")]
    [InlineData("exchange-activated")]
    public async Task What_a_killed_broker_was_making_is_brought_to_its_end_by_the_other(string failpoint)
    {
        await using var world = await StartAsync();
        var (leaseId, secret) = await world.IssueAsync(world.Agent(), ttl: "10s", task: "t-lives");
        await using var other = await world.StartAnotherAsync();
        await RestartAtAsync(world, failpoint);
        var lost = world.ExchangeAsync(world.Agent(), ttl: "10s", task: "t-lost");
        await world.Broker.ReachedAsync(failpoint);
        await world.KillBrokerAsync(lost);

        var admin = new AdminClient(other.Connect(world.PersonToken("admin")));
        await Eventually.BecomesTrueAsync(
            async () =>
                (await admin.ListLeasesAsync(new() { Limit = 1000 })).Leases.All(lease =>
                    lease.State == LeaseStates.Revoked
                ),
            "the other one has revoked everything"
        );
        Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        Assert.Empty(await world.Postgres.IssuedUsersAsync());
        Assert.Empty(await world.VaultLeasesAsync());
        Assert.Equal(1, (await other.Connect("").GetHealthAsync("ready")).Brokers);
        Assert.Contains(
            (await admin.ListLeasesAsync(new() { Limit = 1000 })).Leases,
            lease => lease.LeaseId == leaseId
        );
        await AssertChainAsync(other, world);
    }

    [Fact]
    public async Task What_a_killed_broker_had_claimed_is_revoked_by_the_other()
    {
        const string failpoint = "revocation-claimed";
        await using var world = await StartAsync();
        await RestartAtAsync(world, failpoint);
        var (leaseId, secret) = await world.IssueAsync(world.Agent());
        var released = world.Agent().ReleaseAsync(leaseId).AsTask();
        await world.Broker.ReachedAsync(failpoint);
        await using var other = await world.StartAnotherAsync();
        await world.KillBrokerAsync();
        // That it is under way, or nothing.
        await Task.WhenAny(released);

        var admin = new AdminClient(other.Connect(world.PersonToken("admin")));
        await Eventually.BecomesTrueAsync(
            async () =>
                Assert.Single((await admin.ListLeasesAsync(new() { Lease = leaseId })).Leases).State
                == LeaseStates.Revoked,
            "the claim lapses, and the other one revokes"
        );
        Assert.False(await world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        Assert.Empty(await world.VaultLeasesAsync());
        await AssertChainAsync(other, world);
    }

    private static Task<World> StartAsync()
    {
#if !DEBUG
        Assert.Skip("Failpoints are compiled in Debug only.");
#endif
        return World.StartAsync(storeOnPostgres: true);
    }

    private static async Task RestartAtAsync(World world, string failpoint)
    {
        await world.Broker.StopAsync();
        await world.Broker.DisposeAsync();
        await world.StartBrokerAsync(failpoint);
    }

    private static async Task<string?> RefusedAsync(World world, AgentClient agent, string task = "t-1") =>
        (await Assert.ThrowsAsync<BrokerProblemException>(() => world.ExchangeAsync(agent, task: task))).Code;

    private static Task<ExchangeResponse> ExchangeAsync(AgentClient agent, string key) =>
        agent
            .ExchangeAsync(
                new()
                {
                    Task = new()
                    {
                        Id = "t-key",
                        Process = "invoice-triage",
                        Purpose = "sort invoices",
                    },
                    Credential = World.Credential,
                    Actions = ["read"],
                    IdempotencyKey = key,
                }
            )
            .AsTask();

    /// <summary>The log of all brokers, as one of them exports it, verifies as a whole.</summary>
    private static async Task AssertChainAsync(BrokerProcess broker, World world)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/audit/export");
        request.Headers.Authorization = new("Bearer", world.PersonToken("auditor"));
        using var answer = await broker.Http.SendAsync(request);
        var export = await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        var verified = await AuditVerifier.VerifyAsync(new MemoryStream(Encoding.UTF8.GetBytes(export)), [], default);
        Assert.Null(verified.Fault);
        Assert.True(verified.IsWhole, verified.Range);
        Assert.Contains("\"type\":\"broker.joined\"", export, StringComparison.Ordinal);
    }
}
