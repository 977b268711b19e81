using System.Text.Json;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Audit;

/// <summary>What stands in every event of a lease and of a decision, whatever came before it or after.</summary>
public sealed class DecisionFactsTests : IAsyncLifetime
{
    private static readonly IdentityProof Triage = FakeWorkloadVerifier.Token("triage");
    private static readonly CancellationToken HungUp = new(canceled: true);

    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Every_event_of_a_lease_says_whose_it_is_and_by_what_right()
    {
        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        await _broker.Agents.ReleaseAsync(Triage, lease.Id, BrokerHarness.Call, CancellationToken.None);
        _broker.Issuer.BackendDown = false;
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await _broker.Retry.RunAsync(CancellationToken.None);

        var events = (await _broker.EventsAsync()).Where(e => Text(e, "lease") == lease.Id).ToList();

        Assert.Equal(
            [
                "lease.issued",
                "lease.revocation-failed",
                "lease.revocation-requested",
                "lease.revoked",
                "request.allowed",
            ],
            events.Select(e => Text(e, "type")).Distinct().Order(StringComparer.Ordinal)
        );
        Assert.All(
            events,
            e =>
            {
                Assert.Equal(
                    ("invoice-triage", "t-1", "billing"),
                    (Text(e, "process"), Text(e, "task"), Text(e, "credential"))
                );
                var holder = e.GetProperty("holder");
                Assert.Equal(
                    ("https://idp.example", "sub-triage-1", "1", "triage", "triage-reads"),
                    (
                        Text(holder, "issuer"),
                        Text(holder, "subject"),
                        Text(holder, "instance"),
                        Text(holder, "agent"),
                        Text(holder, "rule")
                    )
                );
                Assert.Equal("owner-1", Text(holder.GetProperty("owner"), "subject"));
            }
        );
    }

    [Fact]
    public async Task Every_decision_carries_its_seven_facts()
    {
        var asked = BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2));
        var tool = new ToolCall("send", JsonElement.Parse("{}"));
        var lease = await _broker.IssueAsync(asked with { Request = asked.Request with { ToolCall = tool } });
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await _broker.Agents.RenewAsync(Triage, lease.Id, null, BrokerHarness.Call, CancellationToken.None);
        await _broker.Agents.RenewAsync(
            Triage,
            lease.Id,
            TimeSpan.FromSeconds(1),
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.RefusedAsync(BrokerHarness.Command(workload: "helper"));

        var (allowed, renewed, denied) = (
            Assert.Single(await _broker.EventsAsync(RequestAllowed.TypeName)),
            Assert.Single(await _broker.EventsAsync(LeaseRenewed.TypeName)),
            await _broker.EventsAsync(RequestDenied.TypeName)
        );

        AssertFacts(allowed, "allow", "read", isRemedied: false);
        Assert.Equal("send", Text(allowed.GetProperty("facts"), "tool"));
        Assert.True(allowed.GetProperty("facts").GetProperty("posture").GetProperty("policy").GetBoolean());
        AssertFacts(renewed, "allow", "read", isRemedied: false);
        Assert.Equal(2, denied.Count);
        AssertFacts(denied[0], "deny", "renew", isRemedied: true);
        AssertFacts(denied[1], "deny", "read", isRemedied: true);
    }

    [Fact]
    public async Task A_caller_that_hangs_up_does_not_keep_its_denial_off_the_record()
    {
        var lease = await _broker.IssueAsync();
        await _broker.Exchange.ExchangeAsync(BrokerHarness.Command(workload: "helper"), HungUp);
        await _broker.Exchange.ExchangeAsync(
            BrokerHarness.Command() with
            {
                Proof = new IdentityProof.Bearer(new SecretText("garbage")),
            },
            HungUp
        );
        await _broker.Agents.FindAsync(FakeWorkloadVerifier.Token("helper"), lease.Id, BrokerHarness.Call, HungUp);
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        await _broker.Agents.RenewAsync(Triage, lease.Id, null, BrokerHarness.Call, HungUp);

        Assert.Equal(
            ["CB2001", "CB6004", "CB2001"],
            (await _broker.EventsAsync(RequestDenied.TypeName)).Select(e => Text(e, "reason"))
        );
        Assert.Single(await _broker.EventsAsync(RequestRefused.TypeName));
    }

    private static void AssertFacts(JsonElement record, string effect, string action, bool isRemedied)
    {
        // 1 agent, 5 time and correlation: the envelope's. 2 delegated subject, 3 resource or tool, 4 action and
        // decision, 6 posture, 7 remediation: the facts'.
        Assert.NotEqual("", Text(record.GetProperty("holder"), "subject"));
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", Text(record, "trace"));
        Assert.NotEqual("", Text(record, "time"));
        var facts = record.GetProperty("facts");
        Assert.Equal(
            ["onBehalfOf", "actions", "resource", "tool", "effect", "posture", "remediation"],
            facts.EnumerateObject().Select(member => member.Name)
        );
        Assert.Equal(JsonValueKind.Null, facts.GetProperty("onBehalfOf").ValueKind);
        Assert.Equal(
            (effect, action),
            (Text(facts, "effect"), facts.GetProperty("actions").EnumerateArray().Single().GetString())
        );
        Assert.Equal(
            isRemedied ? JsonValueKind.Object : JsonValueKind.Null,
            facts.GetProperty("remediation").ValueKind
        );
    }

    private static string? Text(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) ? member.GetString() : null;
}
