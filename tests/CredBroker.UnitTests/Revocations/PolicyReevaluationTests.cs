using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;
using Dapper;
using Microsoft.Data.Sqlite;

namespace CredBroker.UnitTests.Revocations;

public sealed class PolicyReevaluationTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_lease_that_the_new_policy_would_not_allow_is_revoked_with_the_rule_on_record()
    {
        var lease = await _broker.IssueAsync();
        await ChangeAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));

        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Revoked, RevocationCause.PolicyChange), (revoked.State, revoked.Cause));
        var requested = Assert.Single(await _broker.EventsAsync(RevocationRequested.TypeName));
        Assert.Equal("CB2001 of version 2", requested.GetProperty("details").GetProperty("rule").GetString());
    }

    [Fact]
    public async Task A_lease_that_the_new_policy_allows_stays()
    {
        var lease = await _broker.IssueAsync();
        await ChangeAsync(HarnessPolicy.Text(comment: "edited"));

        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task Revocations_are_looked_for_where_a_page_has_some_and_else_not()
    {
        await _broker.IssueAsync();
        await IsRaisedAsync();

        await _broker.ApplyAsync(HarnessPolicy.Text(comment: "edited"));
        await _broker.Reevaluation.RunAsync(CancellationToken.None);
        Assert.False(await IsRaisedAsync());

        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        await _broker.Reevaluation.RunAsync(CancellationToken.None);
        Assert.True(await IsRaisedAsync());
    }

    [Fact]
    public async Task A_lease_that_the_new_policy_grants_less_time_ends_earlier()
    {
        var lease = await _broker.IssueAsync();
        await ChangeAsync(HarnessPolicy.Text(maxTtl: "4m"));

        Assert.Equal(lease.ActivatedAt + TimeSpan.FromMinutes(4), (await _broker.LeaseAsync(lease.Id)).ExpiresAt);
        Assert.Single(await _broker.EventsAsync(LeaseShortened.TypeName));
    }

    [Fact]
    public async Task A_lease_of_another_Vault_role_than_the_entry_now_names_is_revoked()
    {
        var lease = await _broker.IssueAsync();
        await ChangeAsync(
            HarnessPolicy.Text().Replace("role: cb-test-billing", "role: cb-test-billing-2", StringComparison.Ordinal)
        );

        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_pending_lease_does_not_become_active_with_a_life_that_is_no_longer_granted()
    {
        _broker.Issuer.BeforeMint = async _ => await ChangeAsync(HarnessPolicy.Text(maxTtl: "4m"));

        await _broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.PolicyChange),
            ((await _broker.OnlyLeaseAsync()).State, (await _broker.OnlyLeaseAsync()).Cause!.Value)
        );
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_pending_lease_is_found_too()
    {
        _broker.Issuer.BeforeMint = async _ => await ChangeAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));

        await _broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.PolicyChange),
            ((await _broker.OnlyLeaseAsync()).State, (await _broker.OnlyLeaseAsync()).Cause!.Value)
        );
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task What_cannot_be_read_fails_the_pass_and_the_next_one_tries_again()
    {
        var lease = await _broker.IssueAsync();
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        using var connection = new SqliteConnection($"Data Source={_broker.StoreFile};Pooling=False");
        connection.Execute("ALTER TABLE decision RENAME TO away");

        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            _broker.Reevaluation.RunAsync(CancellationToken.None).AsTask()
        );
        connection.Execute("ALTER TABLE away RENAME TO decision");
        await _broker.Reevaluation.RunAsync(CancellationToken.None);

        Assert.Equal(RevocationCause.PolicyChange, (await _broker.LeaseAsync(lease.Id)).Cause);
    }

    private async Task<bool> IsRaisedAsync()
    {
        using var over = new CancellationTokenSource();
        var hearing = _broker.Signal.HearAsync(over.Token).AsTask();
        var isRaised = hearing.IsCompletedSuccessfully;
        await over.CancelAsync();
        await hearing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return isRaised;
    }

    private async Task ChangeAsync(string policy)
    {
        await _broker.ApplyAsync(policy);
        await _broker.Reevaluation.RunAsync(CancellationToken.None);
        await _broker.Retry.RunAsync(CancellationToken.None);
    }
}
