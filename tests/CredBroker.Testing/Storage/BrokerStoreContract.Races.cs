using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

/// <summary>
/// No lease survives its fence: who opened before it is found by the enumeration, who opens after it is refused.
/// </summary>
public abstract partial class BrokerStoreContract
{
    private const int Rounds = 250;
    private const int Openers = 8;

    [Fact]
    public async Task No_lease_survives_an_order()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var instance = $"i-{round}";
            var fence = Store.Position.Fence;
            await RaceAsync(
                () => Samples.Opened(Samples.Lease(Samples.Decision(instance: instance)), fence),
                Samples.Ordered(new() { Instance = instance }),
                new() { Instance = instance },
                GuardFailure.Revoked
            );
        }
    }

    [Fact]
    public async Task No_lease_survives_the_closing_of_its_task()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var task = $"t-{round}";
            await CommitAsync(Samples.Opened(Samples.Lease(Samples.Decision(task: task)), long.MaxValue));
            await RaceAsync(
                () => Samples.Opened(Samples.Lease(Samples.Decision(task: task)), long.MaxValue),
                Samples.Closed(task),
                new() { Process = "invoices", Task = task },
                GuardFailure.TaskClosed
            );
        }
    }

    [Fact]
    public async Task No_lease_is_opened_under_an_outdated_policy()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (version, instance) = (Store.Position.PolicyVersion, $"i-{round}");
            await RaceAsync(
                () => Samples.Opened(Samples.Lease(Samples.Decision(instance: instance, policyVersion: version))),
                StoreSamples.Policy(version, $"hash-{round}"),
                new() { Instance = instance },
                GuardFailure.PolicyChanged
            );
        }
    }

    /// <summary>
    /// Openers run against one fence; then those that were let in are enumerated, as a revoker does it.
    /// </summary>
    private async Task RaceAsync(
        Func<StateChange.LeaseOpened> open,
        StateChange fence,
        LeaseSelector selector,
        GuardFailure refused
    )
    {
        using var start = new Barrier(Openers + 1);
        var opening = Enumerable
            .Range(0, Openers)
            .Select(_ =>
                Task.Factory.StartNew(
                        async () =>
                        {
                            var opened = open();
                            start.SignalAndWait();
                            return (opened.Lease.Id, Outcome: await Store.CommitAsync(opened, default));
                        },
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                    .Unwrap()
            )
            .ToList();
        start.SignalAndWait();
        var committed = await CommitAsync(fence);
        var enumerated = await ListAsync(new() { Selector = selector, States = LeaseStates.Live });
        foreach (var (id, outcome) in await Task.WhenAll(opening))
        {
            if (outcome is CommitOutcome.Committed before)
            {
                Assert.True(before.Event!.Sequence < committed.Event!.Sequence);
                Assert.Contains(id, enumerated);
            }
            else
            {
                Assert.Equal(new CommitOutcome.GuardFailed(refused), outcome);
                Assert.DoesNotContain(id, enumerated);
            }
        }
    }
}
