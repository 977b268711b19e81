using CredBroker.Core.Leases;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Leases;

/// <summary>What a lease says whose server permits prepared transactions, as its operator has accepted.</summary>
public sealed class PreparedTransactionsTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_unconfirmed_lease_names_its_user_and_who_has_to_roll_back_what_only_where_that_is_accepted(
        bool accepts
    )
    {
        await using var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "role: cb-test-billing }",
                    "role: cb-test-billing }\n    connection: { host: db.example, port: 5432, database: billing, "
                        + $"sslmode: require, acceptsPreparedTransactions: {(accepts ? "true" : "false")} }}",
                    StringComparison.Ordinal
                )
        );
        var lease = await broker.IssueAsync();
        Assert.Equal(accepts, lease.Grant.Entry.Connection!.AcceptsPreparedTransactions);
        broker.Issuer.BackendDown = true;
        await broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            BrokerHarness.Call,
            CancellationToken.None
        );

        var failed = await broker.LeaseAsync(lease.Id);
        var left = StillValid.Of(failed);

        Assert.Equal(LeaseState.Failed, failed.State);
        Assert.NotEmpty(failed.PublicName);
        Assert.Equal(failed.GraceUntil, left?.Until);
        Assert.Equal(accepts, left?.What.Contains("pg_prepared_xacts", StringComparison.Ordinal));
        Assert.Equal(accepts, left?.What.Contains(failed.PublicName, StringComparison.Ordinal));

        broker.Issuer.BackendDown = false;
        broker.Time.Advance(TimeSpan.FromSeconds(31));
        await broker.Retry.RunAsync(CancellationToken.None);
        Assert.Null(StillValid.Of(await broker.LeaseAsync(lease.Id)));
    }
}
