using Microsoft.Extensions.Logging;

namespace CredBroker.Client;

/// <summary>
/// Lengthens a secret's life in the background: when two thirds of it are over, and again after a hundredth of it (1 to
/// 30 seconds) where that failed for a passing reason. A refusal without a time to try again is final.
/// </summary>
internal sealed partial class LeaseRenewal : IAsyncDisposable
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>Timers take no more than some weeks; a longer wait is made of several.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly AgentClient _client;
    private readonly string _leaseId;
    private readonly CredentialLeaseOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationTokenSource _stopped = new();
    private readonly ITimer _endingTimer;
    private readonly Task _running;
    private Life _life;

    /// <summary>Begins at once; disposing ends it.</summary>
    public LeaseRenewal(
        AgentClient client,
        ExchangeResponse issued,
        CredentialLeaseOptions options,
        TimeProvider time,
        ILogger logger
    )
    {
        (_client, _leaseId, _options, _time, _logger) = (client, issued.LeaseId, options, time, logger);
        _life = new(time.GetUtcNow(), issued.ExpiresAt);
        _endingTimer = time.CreateTimer(_ => EndWhenDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        EndWhenDue();
        _running = options.Renew ? RunAsync(_stopped.Token) : Task.CompletedTask;
    }

    /// <summary>Fires when 70 % of the life since the last grant are over.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Why the last attempt failed; null where none did, or a later one succeeded.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>When the secret ends, as last granted.</summary>
    public DateTimeOffset ExpiresAt
    {
        get
        {
            lock (_gate)
            {
                return _life.End;
            }
        }
    }

    /// <summary>Ends it, with an attempt that is under way. <see cref="Ending"/> does not fire after this.</summary>
    public async ValueTask DisposeAsync()
    {
        await _endingTimer.DisposeAsync().ConfigureAwait(false);
        await _stopped.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    /// <summary>Fires <see cref="Ending"/> where it is due, and otherwise looks again when it will be.</summary>
    private void EndWhenDue()
    {
        lock (_gate)
        {
            var left = _life.WindUpAt - _time.GetUtcNow();
            if (left > TimeSpan.Zero)
            {
                _endingTimer.Change(left < LongestWait ? left : LongestWait, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        // Its callbacks are the caller's: they run apart from this timer, and cannot bring it down.
        _ = _ending.CancelAsync();
    }

    private async Task RunAsync(CancellationToken stopped)
    {
        try
        {
            DateTimeOffset? next = _life.RenewAt;
            while (next is { } due && await IsAliveAtAsync(due, stopped).ConfigureAwait(false))
            {
                next = await RenewAsync(stopped).ConfigureAwait(false);
            }
        }
        catch (Exception) when (stopped.IsCancellationRequested)
        {
            // Given back. However the attempt under way ended, it must not stand in the way of that.
        }
    }

    /// <summary>Waits for that time; false where the secret has ended by then.</summary>
    private async Task<bool> IsAliveAtAsync(DateTimeOffset due, CancellationToken stopped)
    {
        while (due - _time.GetUtcNow() is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < LongestWait ? left : LongestWait, _time, stopped).ConfigureAwait(false);
        }

        return _time.GetUtcNow() < _life.End;
    }

    /// <summary>Tries once; when to try again, or null where the broker said no for good.</summary>
    private async Task<DateTimeOffset?> RenewAsync(CancellationToken stopped)
    {
        var pause = new TimeSpan(Math.Clamp((_life.Length / 100).Ticks, ShortestPause.Ticks, LongestPause.Ticks));
        try
        {
            var lease = await _client
                .RenewAsync(_leaseId, new() { Ttl = _options.RenewalTtl }, stopped)
                .ConfigureAwait(false);
            Failure = null;
            if (lease.ExpiresAt is { } end && end > _life.End)
            {
                lock (_gate)
                {
                    _life = new(_time.GetUtcNow(), end);
                }

                EndWhenDue();
                return _life.RenewAt;
            }
        }
        catch (BrokerProblemException refused) when (refused.RetryAfter is null)
        {
            Failure = refused;
            LogNotRenewable(_leaseId, _life.End, refused.Message);
            return null;
        }
        catch (Exception exception) when (!stopped.IsCancellationRequested)
        {
            Failure = exception;
            LogNotRenewed(_leaseId, _life.End, exception);
            if (exception is BrokerProblemException { RetryAfter: { } wished } && wished > pause)
            {
                pause = wished;
            }
        }

        return _time.GetUtcNow() + pause;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Lease {LeaseId} could not be renewed yet; it ends {ExpiresAt:O}"
    )]
    private partial void LogNotRenewed(string leaseId, DateTimeOffset expiresAt, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Lease {LeaseId} is renewed no more and ends {ExpiresAt:O}: {Why}"
    )]
    private partial void LogNotRenewable(string leaseId, DateTimeOffset expiresAt, string why);

    /// <summary>From issuance or the last renewal to the end that it was granted.</summary>
    private readonly record struct Life(DateTimeOffset Start, DateTimeOffset End)
    {
        public TimeSpan Length => End - Start;

        public DateTimeOffset RenewAt => Start + (Length * (2.0 / 3));

        public DateTimeOffset WindUpAt => Start + (Length * 0.7);
    }
}
