using System.Diagnostics.Metrics;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Health;
using CredBroker.Server.Identity.Keys;

namespace CredBroker.Server.Hosting;

/// <summary>
/// What the store and this broker hold now, as gauges. A job looks, so that whoever fetches metrics costs the store
/// nothing. What could not be found out has no value, not its last one.
/// </summary>
internal sealed class StateGauges
{
    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(1);
    private readonly IBrokerStore _store;
    private readonly PolicyControl _policy;
    private readonly KeySources _keys;
    private readonly RememberedHealth _health;
    private readonly TimeProvider _time;
    private volatile LeaseCounts? _leases;
    private volatile IReadOnlyList<Measurement<int>> _parts = [];
    private volatile object? _holds;
    private long _lookedAt;

    public StateGauges(
        IMeterFactory meters,
        IBrokerStore store,
        PolicyControl policy,
        KeySources keys,
        RememberedHealth health,
        TimeProvider time
    )
    {
        (_store, _policy, _keys, _health, _time) = (store, policy, keys, health, time);
        var meter = meters.Create(Telemetry.Name);
        meter.CreateObservableGauge(
            "credbroker.leases",
            () => Leases.SelectMany(PerState),
            "{lease}",
            "Leases that are not over, by state; of the store, whichever broker issued them."
        );
        meter.CreateObservableGauge(
            "credbroker.leases.due",
            () => Leases.Select(leases => new Measurement<long>(leases.Due)),
            "{lease}",
            "Leases that are to be over now: past their end, or revoked and not yet confirmed."
        );
        meter.CreateObservableGauge(
            "credbroker.leases.overdue",
            () => Leases.Select(leases => new Measurement<double>(SecondsSince(leases.DueSince))),
            "s",
            "For how long the longest of those has been due; 0 where none is."
        );
        meter.CreateObservableGauge(
            "credbroker.holds",
            () => IsFresh && _holds is int count ? [new Measurement<int>(count)] : Array.Empty<Measurement<int>>(),
            "{hold}",
            "Holds in force."
        );
        meter.CreateObservableGauge(
            "credbroker.policy.age",
            () => _policy.Current is { } current ? [Age(current.AppliedAt)] : Array.Empty<Measurement<double>>(),
            "s",
            "Since when the policy version in force is; nothing where none is."
        );
        meter.CreateObservableGauge(
            "credbroker.keys.age",
            () => _keys.OldestRead is { } age ? [new(age.TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s",
            "For how long the keys of the issuer or trust domain that was read longest ago have not been."
        );
        meter.CreateObservableGauge(
            "credbroker.health",
            () => IsFresh ? _parts : [],
            description: "1 for each part of the broker that lets it issue, 0 for each that keeps it from that."
        );
    }

    private IEnumerable<LeaseCounts> Leases => IsFresh && _leases is { } leases ? [leases] : [];

    // A look that hangs, or a job that no longer runs, must not leave an old word standing.
    private bool IsFresh => _time.GetElapsedTime(Volatile.Read(ref _lookedAt)) < Stale;

    /// <summary>Looks once.</summary>
    public async ValueTask LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            _leases = await _store.Leases.CountAsync(cancellationToken);
            _holds = (await _store.Holds.ListInForceAsync(cancellationToken)).Count;
        }
        catch (StoreUnavailableException)
        {
            (_leases, _holds) = (null, null);
        }

        _parts =
        [
            .. (await _health.IssuingAsync(cancellationToken)).Parts.Select(part => new Measurement<int>(
                part.Status == BrokerHealth.Well ? 1 : 0,
                new KeyValuePair<string, object?>("part", part.Name)
            )),
        ];
        Volatile.Write(ref _lookedAt, _time.GetTimestamp());
    }

    private static IEnumerable<Measurement<long>> PerState(LeaseCounts leases) =>
        [
            Of("pending", leases.Pending),
            Of("active", leases.Active),
            Of("revoking", leases.Revoking),
            Of("failed", leases.Failed),
        ];

    private static Measurement<long> Of(string state, long count) =>
        new(count, new KeyValuePair<string, object?>("state", state));

    private Measurement<double> Age(DateTimeOffset since) => new(SecondsSince(since));

    private double SecondsSince(DateTimeOffset? since) =>
        since is { } then ? Math.Max(0, (_time.GetUtcNow() - then).TotalSeconds) : 0;
}
