using CredBroker.Core.Audit;
using CredBroker.Core.Leases;
using CredBroker.UnitTests.Exchange;

namespace CredBroker.UnitTests.Leases;

public sealed class PolicyReevaluationTests : IAsyncLifetime
{
    private BrokerHarness broker = null!;

    public async ValueTask InitializeAsync() => broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    [Fact]
    public async Task A_lease_that_the_new_policy_would_not_allow_is_revoked_with_the_rule_on_record()
    {
        var lease = await broker.IssueAsync();
        await ChangeAsync(TestPolicy.Text(rule: "agent == \"helper\""));

        var revoked = await broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Revoked, RevocationCause.PolicyChange), (revoked.State, revoked.Cause));
        var requested = Assert.Single(await broker.EventsAsync(AuditEventTypes.RevocationRequested));
        Assert.Equal("CB2001 of version 2", requested.GetProperty("details").GetProperty("rule").GetString());
    }

    [Fact]
    public async Task A_lease_that_the_new_policy_allows_stays()
    {
        var lease = await broker.IssueAsync();
        await ChangeAsync(TestPolicy.Text(comment: "edited"));

        Assert.Equal(LeaseState.Active, (await broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_lease_that_the_new_policy_grants_less_time_ends_earlier()
    {
        var lease = await broker.IssueAsync();
        await ChangeAsync(TestPolicy.Text(maxTtl: "4m"));

        Assert.Equal(lease.ActivatedAt + TimeSpan.FromMinutes(4), (await broker.LeaseAsync(lease.Id)).ExpiresAt);
        Assert.Single(await broker.EventsAsync(AuditEventTypes.LeaseShortened));
    }

    [Fact]
    public async Task A_lease_of_another_Vault_role_than_the_entry_now_names_is_revoked()
    {
        var lease = await broker.IssueAsync();
        await ChangeAsync(TestPolicy.Text().Replace("role: cb-test-billing", "role: cb-test-billing-2", StringComparison.Ordinal));

        Assert.Equal(LeaseState.Revoked, (await broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_pending_lease_does_not_become_active_with_a_life_that_is_no_longer_granted()
    {
        broker.Issuer.BeforeMint = async _ => await ChangeAsync(TestPolicy.Text(maxTtl: "4m"));

        await broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal((LeaseState.Revoked, RevocationCause.PolicyChange), ((await broker.OnlyLeaseAsync()).State, (await broker.OnlyLeaseAsync()).Cause!.Value));
        Assert.Empty(broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_pending_lease_is_found_too()
    {
        broker.Issuer.BeforeMint = async _ => await ChangeAsync(TestPolicy.Text(rule: "agent == \"helper\""));

        await broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal((LeaseState.Revoked, RevocationCause.PolicyChange), ((await broker.OnlyLeaseAsync()).State, (await broker.OnlyLeaseAsync()).Cause!.Value));
        Assert.Empty(broker.Issuer.Alive);
    }

    private async Task ChangeAsync(string policy)
    {
        await broker.ApplyAsync(policy);
        await broker.Reevaluation.RunAsync(CancellationToken.None);
        await broker.Retry.RunAsync(CancellationToken.None);
    }
}
