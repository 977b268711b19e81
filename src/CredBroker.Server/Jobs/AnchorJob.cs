using CredBroker.Core.Readiness;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Compares the store with its anchor, and keeps that: each interval, and each second while it is not known how the two
/// stand, as after the store was opened anew.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class AnchorJob(AnchorCheck anchor, AnchorSchedule schedule) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        if (schedule.IsDue || anchor.Finding is null)
        {
            await anchor.CompareAsync(cancellationToken);
            schedule.Done();
        }
    }
}

/// <summary>When the anchor is looked at next.</summary>
internal sealed class AnchorSchedule(JobOptions options, TimeProvider time)
{
    private long _last = time.GetTimestamp();

    /// <summary>Whether the interval has passed since it was looked at last.</summary>
    public bool IsDue => time.GetElapsedTime(Volatile.Read(ref _last)) >= options.Anchor;

    /// <summary>It was looked at just now.</summary>
    public void Done() => Volatile.Write(ref _last, time.GetTimestamp());
}
