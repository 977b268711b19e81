using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Leases;

public sealed class RenewalTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_renewal_extends_from_now()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2)));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));

        var renewed = Assert.IsType<LeaseOutcome.Found>(await RenewAsync(lease)).Lease;

        Assert.Equal(_broker.Time.GetUtcNow() + TimeSpan.FromMinutes(2), renewed.ExpiresAt);
        Assert.Equal(renewed.ExpiresAt, (await _broker.LeaseAsync(lease.Id)).ExpiresAt);
        Assert.Single(await _broker.EventsAsync(LeaseRenewed.TypeName));
    }

    [Fact]
    public async Task Renewals_never_exceed_the_whole_life_that_was_granted()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(6)));
        _broker.Time.Advance(TimeSpan.FromMinutes(5));

        var renewed = Assert.IsType<LeaseOutcome.Found>(await RenewAsync(lease, TimeSpan.FromHours(1))).Lease;
        Assert.Equal(lease.ActivatedAt + TimeSpan.FromMinutes(10), renewed.ExpiresAt);

        Assert.Equal(
            RefusalCode.NotRenewable,
            Assert.IsType<LeaseOutcome.Refused>(await RenewAsync(lease, TimeSpan.FromHours(1))).Refusal.Code
        );
    }

    [Fact]
    public async Task A_renewal_is_decided_under_the_newest_policy()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2)));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));

        Assert.Equal(
            RefusalCode.NoRuleAllows,
            Assert.IsType<LeaseOutcome.Refused>(await RenewAsync(lease)).Refusal.Code
        );
        Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName));
    }

    [Fact]
    public async Task A_condition_on_the_wished_life_holds_for_a_renewal_too()
    {
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"triage\" && request.ttl <= duration(\"2m\")"));
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2)));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(
            RefusalCode.NoRuleAllows,
            Assert.IsType<LeaseOutcome.Refused>(await RenewAsync(lease, TimeSpan.FromMinutes(9))).Refusal.Code
        );
        Assert.IsType<LeaseOutcome.Found>(await RenewAsync(lease, TimeSpan.FromMinutes(2)));
    }

    [Fact]
    public async Task A_released_lease_is_not_renewed()
    {
        var lease = await _broker.IssueAsync();
        await _broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            BrokerHarness.Call,
            CancellationToken.None
        );

        Assert.Equal(
            RefusalCode.LeaseStateConflict,
            Assert.IsType<LeaseOutcome.Refused>(await RenewAsync(lease)).Refusal.Code
        );
        Assert.Equal(
            "CB6005",
            Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName)).GetProperty("reason").GetString()
        );
    }

    private ValueTask<LeaseOutcome> RenewAsync(Lease lease, TimeSpan? ttl = null) =>
        _broker.Agents.RenewAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            ttl,
            BrokerHarness.Call,
            CancellationToken.None
        );
}
