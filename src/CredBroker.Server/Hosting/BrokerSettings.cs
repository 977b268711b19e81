using CredBroker.Core.Leases;
using CredBroker.Core.Retention;
using CredBroker.Server.Identity.Settings;
using CredBroker.Server.Jobs;
using CredBroker.Server.Notifications;
using CredBroker.Server.Policy;
using CredBroker.Storage;
using CredBroker.Vault;

namespace CredBroker.Server.Hosting;

/// <summary>All settings of the broker, bound and validated together.</summary>
internal sealed record BrokerSettings
{
    public required ListenerOptions Listen { get; init; }

    public required LogOptions Log { get; init; }

    public required IdentityOptions Identity { get; init; }

    public required PolicyOptions Policy { get; init; }

    public required VaultOptions Vault { get; init; }

    public required StorageOptions Storage { get; init; }

    public required AuditOptions Audit { get; init; }

    public required LeaseOptions Leases { get; init; }

    public required JobOptions Jobs { get; init; }

    public required TelemetryOptions Telemetry { get; init; }

    public required NotificationOptions Notifications { get; init; }

    /// <summary>
    /// Reads every section. Throws <see cref="SettingsFaultsException"/> with all faults of all of them.
    /// </summary>
    public static BrokerSettings Read(IConfiguration configuration, bool devMode)
    {
        var (settings, reader) = Gather(configuration, devMode);
        reader.ThrowIfFaulty();
        return settings;
    }

    /// <summary>The sections there are, with the types they bind to.</summary>
    public static IReadOnlyDictionary<string, Type> Sections =>
        Gather(new ConfigurationBuilder().Build(), devMode: false).Reader.Sections;

    private static (BrokerSettings Settings, SettingsReader Reader) Gather(IConfiguration configuration, bool devMode)
    {
        var reader = new SettingsReader(configuration);
        var settings = new BrokerSettings
        {
            Listen = reader.Read<ListenerOptions>("Listen", listen => listen.Validate()),
            Log = reader.Read<LogOptions>("Log", _ => []),
            Identity = reader.Read<IdentityOptions>(IdentityOptions.Section, identity => identity.Validate(devMode)),
            Policy = reader.Read<PolicyOptions>("Policy", policy => policy.Validate()),
            Vault = reader.Read<VaultOptions>("Vault", vault => vault.Validate()),
            Storage = reader.Read<StorageOptions>(StorageOptions.Section, storage => storage.Validate()),
            Audit = reader.Read<AuditOptions>("Audit", audit => audit.Validate()),
            Leases = reader.Read<LeaseOptions>("Leases", leases => leases.Validate()),
            Jobs = reader.Read<JobOptions>("Jobs", jobs => jobs.Validate()),
            Telemetry = reader.Read<TelemetryOptions>("Telemetry", telemetry => telemetry.Validate()),
            Notifications = reader.Read<NotificationOptions>(
                NotificationOptions.Section,
                notifications => notifications.Validate()
            ),
        };
        var (vault, leases) = (settings.Vault, settings.Leases);
        reader.Require(
            vault.MintTimeout < leases.IssuanceDeadline,
            $"Vault:MintTimeout ({vault.MintTimeout}) must be shorter than Leases:IssuanceDeadline "
                + $"({leases.IssuanceDeadline}), or a secret could come after nobody waits for it."
        );
        reader.Require(
            vault.RevokeTimeout < leases.RevocationTimeout,
            $"Vault:RevokeTimeout ({vault.RevokeTimeout}) must be shorter than Leases:RevocationTimeout "
                + $"({leases.RevocationTimeout}), or an attempt ends before Vault answers."
        );
        return (settings, reader);
    }
}
