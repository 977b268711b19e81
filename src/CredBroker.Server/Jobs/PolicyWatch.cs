using System.Threading.Channels;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Waits for the policy to change, here or by another broker's hand, takes the new version up, and has the live leases
/// re-evaluated at once.
/// </summary>
internal sealed partial class PolicyWatch(
    IPolicySource source,
    IBrokerStore store,
    PolicyControl policy,
    [FromKeyedServices(JobRegistration.Scheduler)] ISchedulerFactory schedulers,
    TimeProvider time,
    ILogger<PolicyWatch> log
) : BackgroundService
{
    private static readonly TimeSpan AfterFault = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What was read while the store did not accept, at the start, too, is still to be applied: the source would not
        // report it again.
        var isDue = true;
        var news = Channel.CreateBounded<bool>(
            new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
        );
        void Tell() => news.Writer.TryWrite(true);
        store.News += Tell;
        policy.Edited += Tell;
        // What was in force before this is looked at by the job's first firing.
        var fired = policy.Current?.Version;
        var (changed, told) = (default(Task), default(Task));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!isDue)
                {
                    changed ??= source.WaitForChangeAsync(stoppingToken);
                    told ??= news.Reader.ReadAsync(stoppingToken).AsTask();
                    var first = await Task.WhenAny(changed, told);
                    (changed, told) = (first == changed ? null : changed, first == told ? null : told);
                    await first;
                }

                isDue = true;
                var isNew = await policy.RefreshAsync(stoppingToken);
                // Taken up here, or by a person's hand before.
                if (isNew || policy.Current?.Version != fired)
                {
                    fired = policy.Current?.Version;
                    var scheduler = await schedulers.GetScheduler(stoppingToken);
                    await scheduler.TriggerJob(
                        JobRegistration.KeyOf<PolicyReevaluationJob>(),
                        cancellationToken: stoppingToken
                    );
                }

                isDue = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                store.News -= Tell;
                policy.Edited -= Tell;
                return;
            }
            catch (Exception e) when (e is IOException or StoreUnavailableException)
            {
                NotRead(e);
                await Task.Delay(AfterFault, time, stoppingToken);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The policy could not be read or applied; the last good version goes on."
    )]
    private partial void NotRead(Exception exception);
}
