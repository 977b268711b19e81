using CredBroker.Core.Approvals;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>What an executor finds, and when it is too much.</summary>
public sealed class ExecutorRequestsTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await ApplyAsync("helper");
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task It_finds_what_is_approved_and_in_time_and_nothing_else()
    {
        Assert.Empty((await ListAsync("helper")).Approvals);
        var asked = Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command()))
            .Approval;
        Assert.Empty((await ListAsync("helper")).Approvals);

        await AgreeAsync(asked);
        Assert.Equal(asked.Id, Assert.Single((await ListAsync("helper")).Approvals).Id);
        Assert.Empty((await ListAsync("triage")).Approvals);

        // Over by the clock, whether or not that is on record yet.
        _broker.Time.Advance(TimeSpan.FromMinutes(31));
        Assert.Empty((await ListAsync("helper")).Approvals);
    }

    [Fact]
    public async Task Whom_no_rule_names_any_more_finds_nothing()
    {
        var asked = Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(BrokerHarness.Command()))
            .Approval;
        await AgreeAsync(asked);

        await ApplyAsync("triage");

        Assert.Empty((await ListAsync("helper")).Approvals);
    }

    [Fact]
    public async Task Who_looks_too_often_is_refused_for_a_while()
    {
        for (var look = 0; look < 60; look++)
        {
            await ListAsync("helper");
        }

        var refused = await FindAsync("helper");
        Assert.False(refused.Passes(out _, out var refusal));
        Assert.Equal(RefusalCode.Overloaded, refusal.Code);
        Assert.InRange(refusal.RetryAfter!.Value, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        // Others have their own.
        await ListAsync("helper", "2");
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await ListAsync("helper");
    }

    private Task ApplyAsync(string executor) =>
        _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "effect: allow",
                    "effect: challenge\n    approval: { approvers: [\"group:leads\"], expiresAfter: 30m, executor: "
                        + $"{executor} }}",
                    StringComparison.Ordinal
                )
        );

    private async Task AgreeAsync(Approval asked)
    {
        var ann = new Person
        {
            Issuer = "https://people.example",
            Subject = "ann",
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = ["leads"],
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };
        var said = await _broker.People.AgreeAsync(ann, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out var refusal), refusal?.Detail);
    }

    private ValueTask<Checked<ExecutorPage>> FindAsync(string workload, string instance = "1") =>
        _broker.Executors.ListAsync(
            FakeWorkloadVerifier.Token(workload, instance),
            null,
            ExecutorRequests.MaxPage,
            BrokerHarness.Call,
            default
        );

    private async Task<ExecutorPage> ListAsync(string workload, string instance = "1")
    {
        var found = await FindAsync(workload, instance);
        Assert.True(found.Passes(out var page, out var refusal), refusal?.Detail);
        return page;
    }
}
