using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>The bulkheads in front of each backend's revocations, whoever asks for them.</summary>
public sealed class RevocationBulkheads(LeaseOptions options, TimeProvider time)
{
    private const int MaxBackends = 1_000;
    private static readonly int Lanes = Enum.GetValues<RevocationLane>().Length;

    /// <summary>With as much for makings, it is less than Vault's 64.</summary>
    private const int MostOpen = 28;

    private readonly SharedPlaces _shared = new(
        Math.Max(MostOpen, 7 * options.RevocationParallelism),
        2 * options.RevocationParallelism
    );

    private readonly ConcurrentDictionary<string, Bulkhead> _bulkheads = new(StringComparer.Ordinal);

    /// <summary>The bulkhead of the backend.</summary>
    public Bulkhead Of(string backend)
    {
        if (_bulkheads.Count > MaxBackends)
        {
            // Backends of the past.
            foreach (var (name, bulkhead) in _bulkheads)
            {
                if (bulkhead.IsIdle)
                {
                    _bulkheads.TryRemove(name, out _);
                }
            }
        }

        return _bulkheads.GetOrAdd(
            backend,
            static (_, made) =>
                new(made.options.RevocationParallelism, Lanes, made.options.RetryDelayLimit, made.time, made.shared),
            (options, time, shared: _shared)
        );
    }
}
