using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>
/// The bulkheads in front of each backend's revocations, whoever asks for them; and before each of them a line, for those
/// that find what is due. Whoever has a turn in the line claims its lease while others are at the backend, so that no place
/// there waits for the store. Only so few claim ahead: a claim that waits keeps other brokers off for nothing.
/// </summary>
public sealed class RevocationBulkheads(LeaseOptions options, TimeProvider time)
{
    private const int MaxBackends = 1_000;
    private static readonly int Lanes = Enum.GetValues<RevocationLane>().Length;

    /// <summary>With as much for makings, it is less than Vault's 64.</summary>
    private const int MostOpen = 28;

    /// <summary>
    /// How many have a turn for each place: a commit may take a few times as long as Vault's answer. One more is for what an
    /// admin ordered, which comes next at the backend then.
    /// </summary>
    private const int TurnsOfAPlace = 3;

    private readonly SharedPlaces _shared = new(
        Math.Max(MostOpen, 7 * options.RevocationParallelism),
        2 * options.RevocationParallelism
    );

    private readonly ConcurrentDictionary<string, (Bulkhead Places, Bulkhead Line)> _bulkheads = new(
        StringComparer.Ordinal
    );

    /// <summary>The bulkhead of the backend.</summary>
    public Bulkhead Of(string backend) => BothOf(backend).Places;

    /// <summary>The line before it. It knows nothing of the backend, and so is never paused.</summary>
    public Bulkhead LineOf(string backend) => BothOf(backend).Line;

    private (Bulkhead Places, Bulkhead Line) BothOf(string backend)
    {
        if (_bulkheads.Count > MaxBackends)
        {
            // Backends of the past.
            foreach (var (name, (places, line)) in _bulkheads)
            {
                if (places.IsIdle && line.IsIdle)
                {
                    _bulkheads.TryRemove(name, out _);
                }
            }
        }

        return _bulkheads.GetOrAdd(
            backend,
            static (_, made) =>
                (
                    new(
                        made.options.RevocationParallelism,
                        Lanes,
                        made.options.RetryDelayLimit,
                        made.time,
                        made.shared
                    ),
                    new(
                        (TurnsOfAPlace + 1) * made.options.RevocationParallelism,
                        Lanes,
                        TimeSpan.Zero,
                        made.time,
                        forFirst: made.options.RevocationParallelism
                    )
                ),
            (options, time, shared: _shared)
        );
    }
}
