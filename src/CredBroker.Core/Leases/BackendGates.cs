using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>The gates in front of each backend's revocations, whoever asks for them.</summary>
public sealed class BackendGates(LeaseOptions options, TimeProvider time)
{
    private const int MaxGates = 1_000;
    private static readonly int Lanes = Enum.GetValues<RevocationLane>().Length;

    private readonly ConcurrentDictionary<string, BackendGate> _gates = new(StringComparer.Ordinal);

    /// <summary>The gate of the backend.</summary>
    public BackendGate Of(string backend)
    {
        if (_gates.Count > MaxGates)
        {
            // Backends of the past.
            foreach (var (name, gate) in _gates)
            {
                if (gate.IsIdle)
                {
                    _gates.TryRemove(name, out _);
                }
            }
        }

        return _gates.GetOrAdd(
            backend,
            static (_, made) => new(made.options.RevocationParallelism, Lanes, made.options.RetryDelayLimit, made.time),
            (options, time)
        );
    }
}
