using CredBroker.Client;
using CredBroker.Core.State;

namespace CredBroker.Server.Endpoints.Health;

/// <summary>
/// What <see cref="BrokerHealth"/> said, for a second: health is asked without a token, and asking it more often must
/// cost the store nothing more. Whoever asks while an answer is being made waits for that one.
/// </summary>
internal sealed class RememberedHealth(BrokerHealth health, TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(1);

    private readonly Answer _ready = new(
        async () =>
            new([await health.StoreAsync(CancellationToken.None)], await health.BrokersAsync(CancellationToken.None)),
        time
    );

    private readonly Answer _issuing = new(
        async () =>
            new(await health.IssuingAsync(CancellationToken.None), await health.BrokersAsync(CancellationToken.None)),
        time
    );

    /// <summary>As <see cref="BrokerHealth.StoreAsync"/>.</summary>
    public Task<HealthAnswer> ReadyAsync(CancellationToken cancellationToken) => _ready.GetAsync(cancellationToken);

    /// <summary>As <see cref="BrokerHealth.IssuingAsync"/>.</summary>
    public Task<HealthAnswer> IssuingAsync(CancellationToken cancellationToken) => _issuing.GetAsync(cancellationToken);

    private sealed class Answer(Func<Task<HealthAnswer>> ask, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private Task<HealthAnswer>? _task;
        private long _asked;

        public Task<HealthAnswer> GetAsync(CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                // An answer that failed is none, and one that is still being made is not old, however long it takes.
                if (
                    _task is null
                    || _task is { IsCompleted: true }
                        && (!_task.IsCompletedSuccessfully || time.GetElapsedTime(_asked) >= Kept)
                )
                {
                    _asked = time.GetTimestamp();
                    _task = Task.Run(ask, CancellationToken.None);
                }

                return _task.WaitAsync(cancellationToken);
            }
        }
    }
}

/// <summary>What was found.</summary>
/// <param name="Parts">What was looked at.</param>
/// <param name="Brokers">The brokers that share the store; null where it does not say.</param>
internal sealed record HealthAnswer(
    IReadOnlyList<HealthPartResponse> Parts,
    IReadOnlyList<StoreBroker>? Brokers = null
);
