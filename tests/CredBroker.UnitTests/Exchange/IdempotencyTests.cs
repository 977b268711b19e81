using CredBroker.Core.Exchange;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Exchange;

public sealed class IdempotencyTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_retry_never_leaves_two_live_secrets()
    {
        var first = await _broker.IssueAsync(BrokerHarness.Command(key: "k"));
        var second = await _broker.IssueAsync(BrokerHarness.Command(key: "k"));
        var third = await _broker.IssueAsync(BrokerHarness.Command(key: "k"));

        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.Released),
            ((await _broker.LeaseAsync(first.Id)).State, (await _broker.LeaseAsync(first.Id)).Cause!.Value)
        );
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(second.Id)).State);
        Assert.Equal(third.Id, Assert.Single(await _broker.LeasesAsync(LeaseState.Active)).Id);
        Assert.Single(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task Another_body_under_the_same_key_is_refused()
    {
        await _broker.IssueAsync(BrokerHarness.Command(key: "k"));

        Assert.Equal(
            RefusalCode.IdempotencyKeyReused,
            (await _broker.RefusedAsync(BrokerHarness.Command(key: "k", ttl: TimeSpan.FromMinutes(1)))).Code
        );
    }

    [Fact]
    public async Task A_key_is_its_callers_own()
    {
        await _broker.IssueAsync(BrokerHarness.Command(key: "k"));
        await _broker.IssueAsync(BrokerHarness.Command(key: "k", instance: "2"));

        Assert.Equal(2, _broker.Issuer.Alive.Count);
    }

    [Fact]
    public async Task While_the_first_is_under_way_the_second_is_told_to_wait()
    {
        Refusal? second = null;
        _broker.Issuer.BeforeMint = async _ =>
        {
            _broker.Issuer.BeforeMint = null;
            second = await _broker.RefusedAsync(BrokerHarness.Command(key: "k"));
        };

        await _broker.IssueAsync(BrokerHarness.Command(key: "k"));

        Assert.Equal(RefusalCode.IdempotencyInProgress, second?.Code);
        Assert.NotNull(second?.RetryAfter);
    }

    [Fact]
    public async Task When_the_first_cannot_be_confirmed_revoked_nothing_is_minted()
    {
        await _broker.IssueAsync(BrokerHarness.Command(key: "k"));
        _broker.Issuer.BackendDown = true;

        Assert.Equal(
            RefusalCode.IdempotencyNotRevoked,
            (await _broker.RefusedAsync(BrokerHarness.Command(key: "k"))).Code
        );
        Assert.Single(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_static_value_is_ended_and_read_again()
    {
        var first = await _broker.IssueAsync(BrokerHarness.Command(credential: "api-key", key: "k"));
        await _broker.IssueAsync(BrokerHarness.Command(credential: "api-key", key: "k"));

        Assert.Equal(LeaseState.Ended, (await _broker.LeaseAsync(first.Id)).State);
    }

    [Fact]
    public async Task A_denial_stores_no_key()
    {
        Assert.Equal(
            RefusalCode.NoRuleAllows,
            (await _broker.RefusedAsync(BrokerHarness.Command(workload: "helper", key: "k"))).Code
        );
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));

        await _broker.IssueAsync(BrokerHarness.Command(workload: "helper", key: "k", ttl: TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Two_at_once_under_one_key_leave_one_secret_at_the_most()
    {
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(_ => Task.Run(async () => await _broker.ExchangeAsync(BrokerHarness.Command(key: "k"))))
        );

        Assert.Contains(outcomes, outcome => outcome is ExchangeOutcome.Issued);
        Assert.Single(_broker.Issuer.Alive);
        Assert.Single(await _broker.LeasesAsync(LeaseState.Active));
    }
}
