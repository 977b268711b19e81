using CredBroker.Client;

namespace CredBroker.Server.Endpoints.Health;

/// <summary>
/// What <see cref="BrokerHealth"/> said, for a second: health is asked without a token, and asking it more often must
/// cost the store nothing more. Whoever asks while an answer is being made waits for that one.
/// </summary>
internal sealed class RememberedHealth(BrokerHealth health, TimeProvider time)
{
    private static readonly TimeSpan Kept = TimeSpan.FromSeconds(1);

    private readonly Answer _ready = new(async () => [await health.StoreAsync(CancellationToken.None)], time);
    private readonly Answer _issuing = new(() => health.IssuingAsync(CancellationToken.None).AsTask(), time);

    /// <summary>As <see cref="BrokerHealth.StoreAsync"/>.</summary>
    public Task<IReadOnlyList<HealthPartResponse>> ReadyAsync(CancellationToken cancellationToken) =>
        _ready.GetAsync(cancellationToken);

    /// <summary>As <see cref="BrokerHealth.IssuingAsync"/>.</summary>
    public Task<IReadOnlyList<HealthPartResponse>> IssuingAsync(CancellationToken cancellationToken) =>
        _issuing.GetAsync(cancellationToken);

    private sealed class Answer(Func<Task<IReadOnlyList<HealthPartResponse>>> ask, TimeProvider time)
    {
        private readonly Lock _gate = new();
        private Task<IReadOnlyList<HealthPartResponse>>? _task;
        private long _asked;

        public Task<IReadOnlyList<HealthPartResponse>> GetAsync(CancellationToken cancellationToken)
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
