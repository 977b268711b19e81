using CredBroker.Core.Approvals;
using CredBroker.Core.Audit;
using CredBroker.Core.Callers;
using CredBroker.Core.Exchange;
using CredBroker.Core.Holds;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Limits;
using CredBroker.Core.Owners;
using CredBroker.Core.Readiness;
using CredBroker.Core.Retention;
using CredBroker.Core.Revocations;
using CredBroker.Core.Tasks;
using CredBroker.Server.Endpoints;
using CredBroker.Server.Endpoints.Access;
using CredBroker.Server.Endpoints.Approvals;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Health;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Identity;
using CredBroker.Server.Jobs;
using CredBroker.Server.Notifications;
using CredBroker.Server.Policy;
using CredBroker.Storage;
using CredBroker.Vault;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace CredBroker.Server.Hosting;

/// <summary>
/// Puts the broker together: settings, services, pipeline. Nothing is configured that is not said here.
/// </summary>
public static class BrokerHost
{
    /// <summary>
    /// A broker that is ready to start. Throws <see cref="SettingsFaultsException"/> with every fault of the settings.
    /// </summary>
    /// <param name="configuration">The settings, as <c>appsettings.example.json</c> describes them.</param>
    /// <param name="devMode">Permits plain http to what runs on this machine.</param>
    /// <param name="replace">Lets a test put something else at a seam.</param>
    public static WebApplication Build(
        IConfiguration configuration,
        bool devMode = false,
        Action<IServiceCollection>? replace = null
    )
    {
        var settings = BrokerSettings.Read(configuration, devMode);

        // An empty builder: the usual one reads ASPNETCORE_URLS and its kin, and another listener must not come in by
        // that door.
        var builder = WebApplication.CreateEmptyBuilder(
            new() { ApplicationName = typeof(BrokerHost).Assembly.GetName().Name }
        );
        builder.Logging.AddBrokerLogging(settings.Log);
        builder.WebHost.UseBrokerListeners(settings.Listen);
        builder.Services.AddBroker(settings, devMode);
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseOwnTraces();
        app.UseRouting();
        app.UseCallers();
        app.MapBroker();
        app.MapBrokerOpenApi();
        app.MapBrokerMetrics();
        return app;
    }

    private static void AddBroker(this IServiceCollection services, BrokerSettings settings, bool devMode)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(settings.Listen).AddSingleton(settings.Leases).AddSingleton(settings.Audit);

        services.AddCredBrokerIdentity(settings.Identity, devMode);
        services.AddCredBrokerPolicy(settings.Policy);
        services.AddCredBrokerVault(settings.Vault);
        services.AddCredBrokerStorage(settings.Storage);
        services.AddSingleton<AuditExport>().AddSingleton<AuditRetention>();

        services
            .AddSingleton<MissingRecords>()
            .AddSingleton<IssuingReadiness>()
            .AddSingleton<ClockRepair>()
            .AddSingleton<ClusterMemory>()
            .AddSingleton<AnchorCheck>();
        services.AddSingleton<RefusedCalls>().AddSingleton<CallerVerification>().AddSingleton<CredentialExchange>();
        services
            .AddSingleton<AbsenceWait>()
            .AddSingleton<LeaseRevoker>()
            .AddSingleton<RevocationSignal>()
            .AddSingleton<RevocationBulkheads>()
            .AddSingleton<RevocationPace>()
            .AddSingleton<AbsenceSweep>()
            .AddSingleton<StrayKill>()
            .AddSingleton<StrayRecovery>()
            .AddSingleton<UnrecordedOrders>()
            .AddSingleton<AgentLeases>()
            .AddSingleton<LeaseConfirmation>()
            .AddSingleton<AgentTasks>()
            .AddSingleton<RevocationOrders>()
            .AddSingleton<SelectorCheck>()
            .AddSingleton<HoldOrders>()
            .AddSingleton<OwnerOrders>()
            .AddSingleton<DirectoryCheck>()
            .AddSingleton<Tripwires>();
        services
            .AddSingleton<ApprovalNews>()
            .AddSingleton<ApprovalRequests>()
            .AddSingleton<ExecutorRequests>()
            .AddSingleton<AccessRequests>()
            .AddSingleton<AccessApprovals>()
            .AddSingleton<ApprovalDecisions>()
            .AddSingleton<GroupDecisions>()
            .AddSingleton<ApprovalWatch>()
            .AddSingleton<ApprovalStreams>()
            .AddSingleton<ApprovalSweep>()
            .AddSingleton<TimeBoxes>()
            .AddSingleton<TimeBoxSweep>();
        services
            .AddSingleton(settings.Notifications)
            .AddSingleton(provider => new NotificationTarget(provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<NotificationRun>();
        services
            .AddSingleton<ExpirySweep>()
            .AddSingleton<RevocationRun>()
            .AddSingleton<PendingReconcile>()
            .AddSingleton<PolicyReevaluation>();

        services.AddBrokerTelemetry(settings);
        services.AddCallers();
        services.AddSingleton<BrokerHealth>();
        services.AddSingleton<RememberedHealth>();
        services.AddRoutingCore();
        services.AddBrokerOpenApi();

        // Before the scheduler and the listener, which are added after it.
        services.AddHostedService<BrokerStart>();
        services.AddCredBrokerJobs(settings.Jobs, settings.Vault.ProbeInterval, TelemetrySetup.IsOn(settings));
    }
}
