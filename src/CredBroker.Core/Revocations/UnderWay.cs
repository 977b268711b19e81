using System.Collections.Concurrent;
using CredBroker.Core.Leases;
using Microsoft.Extensions.Logging;

namespace CredBroker.Core.Revocations;

/// <summary>
/// What is being done now, each under a key, and what is left alone for a while. Nothing is done twice at once, and
/// nothing that failed for a reason of the broker's own is repeated without a wait.
/// </summary>
internal sealed partial class UnderWay(RevocationSignal signal, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Attempt> _attempts = new(StringComparer.Ordinal);

    // By the monotonic clock.
    private readonly ConcurrentDictionary<string, (long Since, TimeSpan Length)> _pauses = new(StringComparer.Ordinal);

    /// <summary>What has not come to its end.</summary>
    public IReadOnlyCollection<Task> Attempts => [.. _attempts.Values.Select(attempt => attempt.Ended)];

    /// <summary>How many were begun, ever.</summary>
    public long Begun { get; private set; }

    /// <summary>Whether nothing is done under the key, and nothing keeps from it.</summary>
    public bool IsFree(string key) => !_attempts.ContainsKey(key) && !IsPaused(key);

    /// <summary>Whether it is done under the key already, in this lane or a more urgent one.</summary>
    public bool IsBegun(string key, int lane) => _attempts.TryGetValue(key, out var attempt) && attempt.Lane <= lane;

    /// <summary>Whether the key is left alone still.</summary>
    public bool IsPaused(string key)
    {
        if (!_pauses.TryGetValue(key, out var pause))
        {
            return false;
        }

        if (time.GetElapsedTime(pause.Since) < pause.Length)
        {
            return true;
        }

        _pauses.TryRemove(new(key, pause));
        return false;
    }

    /// <summary>Leaves the key alone for so long.</summary>
    public void Pause(string key, TimeSpan length) => _pauses[key] = (time.GetTimestamp(), length);

    /// <summary>Leaves the key alone for a moment, after a fault that is not its own.</summary>
    public void Pause(string key) => Pause(key, AfterFault);

    /// <summary>Forgets pauses that are over.</summary>
    public void Tidy()
    {
        foreach (var key in _pauses.Keys)
        {
            IsPaused(key);
        }
    }

    /// <summary>
    /// What waits for a place under the key in a later lane waits no longer, so that it can be begun in this one.
    /// </summary>
    public void Hurry(string key, int lane)
    {
        if (_attempts.TryGetValue(key, out var attempt) && attempt.Lane > lane)
        {
            attempt.Waiting?.Cancel();
        }
    }

    /// <summary>Begins it; its end raises the signal, if then a pass is worth it.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="attempt">What is done.</param>
    /// <param name="lane">In which lane it waits for a place, if it does.</param>
    /// <param name="waiting">Ends that wait.</param>
    /// <param name="isPassDue">Whether there is something to do for a pass when it has ended; always unless told.</param>
    public void Begin(
        string key,
        Func<Task> attempt,
        int lane = 0,
        CancellationTokenSource? waiting = null,
        Func<bool>? isPassDue = null
    )
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Begun++;
        _attempts[key] = new(ended.Task, lane, waiting);
        _ = Task.Run(async () =>
        {
            var isInterrupted = false;
            try
            {
                await attempt();
            }
            catch (Exception fault)
            {
                // Whatever it is: there is as much to do as before, or a claim lapses. At once would be a loop while the
                // store takes nothing.
                isInterrupted = true;
                Pause(key);
                LogInterrupted(logger, key, fault);
            }
            finally
            {
                _attempts.TryRemove(key, out _);
                ended.SetResult();
            }

            if (!isInterrupted && isPassDue?.Invoke() is not false)
            {
                signal.Raise();
            }
        });
    }

    private sealed record Attempt(Task Ended, int Lane, CancellationTokenSource? Waiting);

    [LoggerMessage(Level = LogLevel.Error, Message = "An attempt to revoke ({Key}) was interrupted; it is repeated.")]
    private static partial void LogInterrupted(ILogger logger, string key, Exception fault);
}
