using System.Collections.Concurrent;
using CredBroker.Client;
using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Load;

/// <summary>
/// After one broker has accepted that something is issued no more: asks every broker for just that, until each refuses.
/// What is asked for later than a second after it was accepted is granted by none, whatever is broken meanwhile.
/// </summary>
internal sealed class StopProbe(Arena arena, Tally tally, Action<string, string> found)
{
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private readonly ConcurrentBag<TimeSpan> _refused = [];

    /// <summary>How long after the acceptance each broker that was whole had refused, from the soonest to the latest.</summary>
    public IReadOnlyList<TimeSpan> Refused => [.. _refused.Order()];

    /// <summary>Asks until all of them refuse or have been asked for long enough.</summary>
    /// <param name="what">What was accepted.</param>
    /// <param name="codes">What a refusal for this reason says.</param>
    /// <param name="instance">Of whom nothing is granted.</param>
    /// <param name="task">The task for which it asks.</param>
    /// <param name="losses">How often the store had forgotten something when it was asked for.</param>
    public Task RunAsync(string what, IReadOnlyList<string> codes, string instance, string task, int losses)
    {
        var acceptedAt = TimeProvider.System.GetTimestamp();
        return Task.WhenAll(arena.Agent(instance).Select(AskAsync));

        async Task AskAsync(AgentClient client, int broker)
        {
            var isWhole = arena.Calm.IsWhole(broker);
            while (TimeProvider.System.GetElapsedTime(acceptedAt) is var sentAfter && sentAfter < Longest)
            {
                try
                {
                    using var limit = new CancellationTokenSource(Longest, TimeProvider.System);
                    await client.ExchangeAsync(
                        Agent.Request(task, ArenaPolicy.KeyValue, TimeSpan.FromMinutes(1)),
                        limit.Token
                    );
                    if (arena.Store.Losses != losses)
                    {
                        tally.Add("stop", "forgotten by the store");
                        return;
                    }

                    tally.Add("stop", sentAfter > Bound ? "granted afterwards" : "granted within a second");
                    if (sentAfter > Bound)
                    {
                        found(
                            what,
                            $"broker {broker + 1} granted what was asked for {sentAfter.TotalSeconds:0.0} s after it was accepted"
                        );
                    }

                    await PauseAsync();
                }
                catch (BrokerProblemException refused) when (codes.Contains(refused.Code))
                {
                    tally.Add("stop", "refused");
                    if (isWhole && arena.Calm.IsWhole(broker))
                    {
                        _refused.Add(TimeProvider.System.GetElapsedTime(acceptedAt));
                    }

                    return;
                }
                catch (Exception broken)
                    when (broken
                            is BrokerProblemException
                                or HttpRequestException
                                or IOException
                                or OperationCanceledException
                    )
                {
                    await PauseAsync();
                }
            }

            tally.Add("stop", "a broker that was broken did not say");
        }
    }

    private static Task PauseAsync() => Pause.ForAsync(TimeSpan.FromMilliseconds(50), CancellationToken.None);
}
