using Quartz;

namespace CredBroker.Server.Jobs;

/// <summary>
/// Quartz is the clock, the lease table is the truth: the schedule lives in memory, every broker runs every job, and
/// claims in the store divide the work.
/// </summary>
internal static class JobRegistration
{
    /// <summary>The scheduler's name.</summary>
    public const string Scheduler = "jobs";

    private static readonly TimeSpan EachSecond = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EachTenSeconds = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EachMinute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EachHour = TimeSpan.FromHours(1);

    public static IServiceCollection AddCredBrokerJobs(
        this IServiceCollection services,
        JobOptions options,
        TimeSpan probeInterval,
        bool withGauges
    )
    {
        // Named, so that a time of its own can be its own.
        services.AddKeyedSingleton<TimeProvider>(
            Scheduler,
            static (provider, _) => new SteadyTime(provider.GetRequiredService<TimeProvider>())
        );
        services.AddQuartz(
            Scheduler,
            quartz =>
            {
                Schedule<ExpirySweepJob>(quartz, EachSecond);
                Schedule<RevocationRetryJob>(quartz, options.RevocationRetry);
                Schedule<PendingReconcileJob>(quartz, options.PendingReconcile);
                Schedule<PolicyReevaluationJob>(quartz, options.PolicyReevaluation);
                Schedule<VaultProbeJob>(
                    quartz,
                    probeInterval < VaultProbeJob.Firing ? probeInterval : VaultProbeJob.Firing
                );
                Schedule<StrayRecoveryJob>(quartz, options.PendingReconcile);
                Schedule<StoreWatchJob>(quartz, EachSecond);
                Schedule<ApprovalSweepJob>(quartz, EachSecond);
                Schedule<NotificationJob>(quartz, EachSecond);
                Schedule<AnchorJob>(quartz, EachSecond);
                Schedule<DirectoryJob>(quartz, EachTenSeconds);
                Schedule<RefusedCallsJob>(quartz, EachMinute);
                Schedule<AuditRetentionJob>(quartz, EachHour);
                if (withGauges)
                {
                    Schedule<StateGaugesJob>(quartz, EachTenSeconds);
                    quartz.AddJobListener<JobTimes>();
                }
            }
        );
        services.AddSingleton(options).AddSingleton<AnchorSchedule>();
        services.AddQuartzHostedService(Scheduler, hosted => hosted.WaitForJobsToComplete = true);
        services.AddHostedService<PolicyWatch>();
        services.AddHostedService<RevocationRunner>();
        return services;
    }

    /// <summary>The job's key, by which it can also be fired out of turn.</summary>
    public static JobKey KeyOf<T>()
        where T : IJob => new(typeof(T).Name);

    private static void Schedule<T>(IQuartzBuilder quartz, TimeSpan interval)
        where T : class, IJob =>
        quartz.ScheduleJob<T>(
            trigger => trigger.WithIdentity(typeof(T).Name).WithSimpleSchedule(interval),
            job => job.WithIdentity(KeyOf<T>())
        );
}
