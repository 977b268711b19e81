using CredBroker.Core.Exchange;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

/// <summary>
/// Revocation, policy change and task close against exchanges in flight: no lease survives its fence, in whatever order
/// the steps fall.
/// </summary>
public sealed class FenceRaceTests
{
    private const int Rounds = 340;
    private const int ExchangesPerRound = 6;

    [Fact]
    public async Task No_lease_survives_a_revocation() =>
        await RaceAsync(
            async (broker, round) =>
            {
                await broker.Revocations.OrderAsync(
                    new() { Task = $"t-{round}" },
                    "race",
                    BrokerHarness.Admin,
                    BrokerHarness.Call,
                    CancellationToken.None
                );
                await broker.Retry.RunAsync(CancellationToken.None);
            }
        );

    [Fact]
    public async Task No_lease_survives_a_quarantine_and_none_comes_after_it() =>
        await RaceAsync(
            async (broker, round) =>
            {
                await broker.Holds.QuarantineAsync(
                    new() { Task = $"t-{round}" },
                    null,
                    "race",
                    BrokerHarness.Admin,
                    BrokerHarness.Call,
                    CancellationToken.None
                );
                var refused = await broker.RefusedAsync(BrokerHarness.Command(task: $"t-{round}"));
                Assert.Equal(RefusalCode.Held, refused.Code);
                await broker.Retry.RunAsync(CancellationToken.None);
            }
        );

    [Fact]
    public async Task No_lease_survives_the_close_of_its_task() =>
        await RaceAsync(
            async (broker, round) =>
            {
                await broker.Tasks.CloseAsync(
                    FakeWorkloadVerifier.Token("triage"),
                    "invoice-triage",
                    $"t-{round}",
                    BrokerHarness.Call,
                    CancellationToken.None
                );
                await broker.Retry.RunAsync(CancellationToken.None);
            }
        );

    [Fact]
    public async Task No_lease_survives_a_policy_that_does_not_allow_it() =>
        await RaceAsync(
            async (broker, round) =>
            {
                await broker.ApplyAsync(
                    HarnessPolicy.Text(rule: $"agent == \"triage\" && task.id != \"t-{round}\"", comment: $"{round}")
                );
                await broker.Reevaluation.RunAsync(CancellationToken.None);
                await broker.Retry.RunAsync(CancellationToken.None);
            }
        );

    private static async Task RaceAsync(Func<BrokerHarness, int, Task> revoke)
    {
        await using var broker = await BrokerHarness.StartAsync();
        var issued = 0;
        for (var round = 0; round < Rounds; round++)
        {
            // Every exchange has noted its fence before the revoker starts; a later one would have seen the order and
            // be right to go on.
            var current = round;
            using var underWay = new CountdownEvent(ExchangesPerRound);
            broker.Verifier.Entered = () => underWay.Signal();
            var exchanges = Enumerable
                .Range(0, ExchangesPerRound)
                .Select(_ =>
                    Task.Run(async () => await broker.ExchangeAsync(BrokerHarness.Command(task: $"t-{current}")))
                )
                .ToList();

            // The revoker starts at another step of the exchanges each round.
            underWay.Wait();
            broker.Verifier.Entered = null;
            for (var yields = 0; yields < round % 40; yields++)
            {
                await Task.Yield();
            }

            await Task.Run(() => revoke(broker, current));
            issued += (await Task.WhenAll(exchanges)).Count(outcome => outcome is ExchangeOutcome.Issued);
            await SettleAsync(broker, current);
        }

        Assert.True(issued > 0, "No exchange ever came before its fence: the race proves nothing.");
        Assert.Empty(broker.Issuer.Alive);
    }

    /// <summary>
    /// What the fence left must be on its way out already: nothing of the round is live, and the retry job confirms the
    /// rest.
    /// </summary>
    private static async Task SettleAsync(BrokerHarness broker, int round)
    {
        var live = await broker.Store.Leases.ListAsync(
            new()
            {
                Selector = new() { Task = $"t-{round}" },
                States = LeaseStates.Live,
            },
            CancellationToken.None
        );
        Assert.Empty(live.Leases);
        while ((
                await broker.Store.Leases.ListAsync(
                    new()
                    {
                        Selector = new() { Task = $"t-{round}" },
                        States = [LeaseState.Revoking],
                    },
                    CancellationToken.None
                )
            ).Leases.Count > 0)
        {
            await broker.Retry.RunAsync(CancellationToken.None);
        }
    }
}
