using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Limits;

/// <summary>Limits and tripwires as agents meet them, on a real store.</summary>
public sealed class LimitTests
{
    private const string Quarantine = "onBreach: { quarantine: instance, for: 15m }";

    [Fact]
    public async Task A_limit_of_what_is_active_refuses_before_anything_is_made_and_has_room_after_a_release()
    {
        await using var broker = await StartAsync("per: instance, maxActive: 2");
        var first = await broker.IssueAsync();
        await broker.IssueAsync();
        broker.Issuer.OnPrepare = _ => throw new InvalidOperationException("It was known to be over before.");

        Assert.Equal(RefusalCode.LimitReached, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        broker.Issuer.OnPrepare = null;
        // It is the instance's own.
        await broker.IssueAsync(BrokerHarness.Command(instance: "2"));

        await broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage", "1"),
            first.Id,
            BrokerHarness.Call,
            default
        );
        await broker.IssueAsync();
        Assert.Equal(RefusalCode.LimitReached, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        broker.Time.Advance(TimeSpan.FromMinutes(11));
        await broker.ExpireAsync();
        await broker.IssueAsync();
    }

    [Fact]
    public async Task The_auditor_is_told_which_limit_it_was_and_the_agent_when_it_has_room()
    {
        await using var broker = await StartAsync("per: workload, maxIssued: { count: 1, per: 1h }");
        await broker.IssueAsync();
        broker.Time.Advance(TimeSpan.FromMinutes(20));

        var refusal = await broker.RefusedAsync(BrokerHarness.Command(instance: "2"));

        Assert.Equal((RefusalCode.LimitReached, TimeSpan.FromMinutes(40)), (refusal.Code, refusal.RetryAfter));
        Assert.DoesNotContain("the-limit", refusal.Detail, StringComparison.Ordinal);
        var denied = Assert.Single(await broker.EventsAsync(RequestDenied.TypeName));
        Assert.Equal(
            "limit the-limit: 1 in 3600 s issued, per workload",
            denied.GetProperty("details").GetProperty("decision").GetProperty("explanation").GetString()
        );
    }

    [Fact]
    public async Task A_renewal_is_no_issuance_and_a_repeated_request_takes_the_place_of_its_first()
    {
        await using var broker = await StartAsync("per: instance, maxActive: 1, maxIssued: { count: 2, per: 1h }");
        var first = await broker.IssueAsync(BrokerHarness.Command(key: "k", ttl: TimeSpan.FromMinutes(3)));
        broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<LeaseOutcome.Found>(
            await broker.Agents.RenewAsync(
                FakeWorkloadVerifier.Token("triage", "1"),
                first.Id,
                null,
                BrokerHarness.Call,
                default
            )
        );

        var second = await broker.IssueAsync(BrokerHarness.Command(key: "k", ttl: TimeSpan.FromMinutes(3)));

        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(first.Id)).State);
        // Two secrets were made within the hour.
        await broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage", "1"),
            second.Id,
            BrokerHarness.Call,
            default
        );
        Assert.NotNull((await broker.RefusedAsync(BrokerHarness.Command())).RetryAfter);
    }

    [Fact]
    public async Task A_new_policy_version_that_lowers_a_limit_binds_at_once()
    {
        await using var broker = await StartAsync("per: instance, maxActive: 5");
        await broker.IssueAsync();
        await broker.IssueAsync();
        await broker.ApplyAsync(Policy("per: instance, maxActive: 2"));

        Assert.Equal(RefusalCode.LimitReached, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
    }

    [Fact]
    public async Task An_agent_that_chains_denied_requests_is_quarantined_at_once_and_its_fleet_is_not()
    {
        await using var broker = await StartAsync($"per: instance, maxDenied: {{ count: 3, per: 5m }}, {Quarantine}");
        var held = await broker.IssueAsync();
        var other = await broker.IssueAsync(BrokerHarness.Command(instance: "2"));
        for (var denied = 0; denied < 3; denied++)
        {
            Assert.Equal(RefusalCode.CredentialUnknown, (await broker.RefusedAsync(Unknown())).Code);
        }

        Assert.Empty(await broker.EventsAsync(HoldPlaced.TypeName));
        await broker.IssueAsync();
        Assert.Equal(RefusalCode.CredentialUnknown, (await broker.RefusedAsync(Unknown())).Code);

        // In the second of the denial: what it asks for next is refused, and what it holds is revoked.
        Assert.Equal(RefusalCode.Held, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        await broker.Retry.RunAsync(default);
        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.Quarantine, "broker:tripwire the-limit"),
            (
                (await broker.LeaseAsync(held.Id)).State,
                (await broker.LeaseAsync(held.Id)).Cause,
                (await broker.LeaseAsync(held.Id)).RequestedBy
            )
        );
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(other.Id)).State);
        await broker.IssueAsync(BrokerHarness.Command(instance: "2"));
        var hold = Assert.Single(await broker.Store.Holds.ListInForceAsync(default));
        Assert.Equal(
            ("broker:tripwire the-limit", "limit the-limit: more than 3 in 300 s denied, per instance"),
            (hold.PlacedBy, hold.Reason)
        );
        Assert.Equal(
            "tripwire the-limit",
            Assert
                .Single(await broker.EventsAsync(HoldPlaced.TypeName))
                .GetProperty("actor")
                .GetProperty("subject")
                .GetString()
        );

        broker.Time.Advance(TimeSpan.FromMinutes(15));
        await broker.IssueAsync();
    }

    [Fact]
    public async Task One_breach_of_what_is_active_is_one_quarantine()
    {
        await using var broker = await StartAsync($"per: instance, maxActive: 2, {Quarantine}");
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(_ => broker.ExchangeAsync(BrokerHarness.Command()).AsTask())
        );

        Assert.True(outcomes.OfType<ExchangeOutcome.Issued>().Count() <= 2);
        Assert.Single(await broker.EventsAsync(HoldPlaced.TypeName));
        await broker.Retry.RunAsync(default);
        Assert.Empty(await broker.LeasesAsync(LeaseState.Active, LeaseState.Pending));
    }

    [Fact]
    public async Task What_is_no_fault_of_the_one_that_asks_trips_nothing()
    {
        await using var broker = await StartAsync($"per: instance, maxDenied: {{ count: 1, per: 5m }}, {Quarantine}");
        await broker.ApplyAsync(
            Policy($"per: instance, maxDenied: {{ count: 1, per: 5m }}, {Quarantine}")
                .Replace("when: agent", "when: agent == \"helper\" || agent", StringComparison.Ordinal)
        );
        await broker.IssueAsync(BrokerHarness.Command(task: "mine"));
        for (var refused = 0; refused < 4; refused++)
        {
            // Another's task, which a stranger may have taken before.
            Assert.Equal(
                RefusalCode.TaskOwnedByAnother,
                (await broker.RefusedAsync(BrokerHarness.Command("helper", "h", task: "mine"))).Code
            );
            // A token of nobody: it is no one's denial.
            await broker.RefusedAsync(
                BrokerHarness.Command() with
                {
                    Proof = new IdentityProof.Bearer(new("garbage")),
                }
            );
        }

        // Vault that is away.
        broker.Issuer.Status = broker.Issuer.Status with
        {
            CanIssue = false,
            Refusal = new(RefusalCode.VaultSealed, "sealed"),
        };
        for (var refused = 0; refused < 4; refused++)
        {
            Assert.Equal(RefusalCode.VaultSealed, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        }

        broker.Issuer.Status = broker.Issuer.Status with { CanIssue = true, Refusal = null };
        Assert.Equal(0, broker.Store.Position.Holds);
        await broker.IssueAsync();
    }

    [Fact]
    public async Task A_denial_that_is_only_counted_trips_the_wire_all_the_same()
    {
        await using var broker = await StartAsync($"per: instance, maxDenied: {{ count: 320, per: 5m }}, {Quarantine}");
        for (var denied = 0; denied < 320; denied++)
        {
            await broker.RefusedAsync(Unknown());
        }

        Assert.True((await broker.EventsAsync(RequestDenied.TypeName)).Count < 320);
        Assert.Equal(0, broker.Store.Position.Holds);
        await broker.RefusedAsync(Unknown());
        Assert.Equal(1, broker.Store.Position.Holds);
        Assert.Equal(RefusalCode.Held, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
    }

    [Fact]
    public async Task Two_limits_of_denials_that_are_counted_together_count_each_denial_once()
    {
        await using var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(
            $"{HarnessPolicy.Text()}\nlimits:\n  - {{ id: refuses, per: instance, maxDenied: {{ count: 3, per: 5m }} }}\n"
                + $"  - {{ id: quarantines, per: instance, maxDenied: {{ count: 5, per: 10m }}, {Quarantine} }}\n"
        );
        for (var denied = 0; denied < 3; denied++)
        {
            Assert.Equal(RefusalCode.CredentialUnknown, (await broker.RefusedAsync(Unknown())).Code);
        }

        await broker.IssueAsync();
        await broker.RefusedAsync(Unknown());
        Assert.Equal(RefusalCode.LimitReached, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        // One limit is broken, and the other goes on counting up to its own.
        await broker.RefusedAsync(Unknown());
        Assert.Equal(0, broker.Store.Position.Holds);
        await broker.RefusedAsync(Unknown());
        var hold = Assert.Single(await broker.Store.Holds.ListInForceAsync(default));
        Assert.Equal("broker:tripwire quarantines", hold.PlacedBy);
    }

    [Fact]
    public async Task What_one_instance_was_denied_refuses_its_fleet_and_quarantines_that_instance_alone()
    {
        await using var broker = await StartAsync($"per: workload, maxDenied: {{ count: 2, per: 5m }}, {Quarantine}");
        var innocent = await broker.IssueAsync(BrokerHarness.Command(instance: "2"));
        for (var denied = 0; denied < 3; denied++)
        {
            await broker.RefusedAsync(Unknown());
        }

        Assert.Equal(RefusalCode.LimitReached, (await broker.RefusedAsync(BrokerHarness.Command(instance: "2"))).Code);
        Assert.Equal(RefusalCode.Held, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        var hold = Assert.Single(await broker.Store.Holds.ListInForceAsync(default));
        Assert.Equal("1", hold.Selector.Instance);
        await broker.Retry.RunAsync(default);
        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(innocent.Id)).State);
    }

    [Theory]
    [InlineData(
        RefusalCode.NobodyToAsk,
        """
              - { id: nobody, effect: challenge, when: 'credential.name == "billing"',
                  approval: { approvers: [{ issuer: "https://people.example", subject: owner-1 }], expiresAfter: 5m, notOwner: true } }
            """
    )]
    [InlineData(
        RefusalCode.ExecutorsDiffer,
        """
              - { id: one, effect: challenge, when: 'credential.name == "billing"',
                  approval: { approvers: [owner], expiresAfter: 5m, notOwner: false, executor: triage } }
              - { id: other, effect: challenge, when: 'credential.name == "billing"',
                  approval: { approvers: [owner], expiresAfter: 5m, notOwner: false, executor: helper } }
            """
    )]
    public async Task A_denial_because_no_approval_could_ever_come_counts(RefusalCode code, string rules)
    {
        await using var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(
            Policy($"per: instance, maxDenied: {{ count: 1, per: 5m }}, {Quarantine}")
                .Replace("\nlimits:", $"\n{rules}\nlimits:", StringComparison.Ordinal)
        );
        Assert.Equal(code, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(0, broker.Store.Position.Holds);
        Assert.Equal(code, (await broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(1, broker.Store.Position.Holds);
    }

    private static ExchangeCommand Unknown() => BrokerHarness.Command(credential: "no-such-credential");

    private static string Policy(string limit) =>
        $"{HarnessPolicy.Text()}\nlimits:\n  - {{ id: the-limit, {limit} }}\n";

    private static async Task<BrokerHarness> StartAsync(string limit)
    {
        var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(Policy(limit));
        return broker;
    }
}
