using System.Diagnostics;
using System.Diagnostics.Metrics;
using CredBroker.Core.Audit;

namespace CredBroker.Core.Diagnostics;

/// <summary>
/// What an observer can subscribe to: spans and instruments named <c>CredBroker</c>. Tags hold codes, kinds and names of
/// the broker's own, so that nobody's requests make many series; spans hold ids besides. Never a token, a secret or what
/// an agent wrote.
/// </summary>
public static class Telemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "CredBroker";

    private static readonly ActivitySource Activities = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly Counter<long> Exchanges = Meter.CreateCounter<long>(
        "credbroker.exchanges",
        "{exchange}",
        "Exchanges by what became of them: issued, challenged, or the code of the refusal."
    );

    private static readonly Histogram<double> ExchangeDuration = Duration(
        "credbroker.exchange.duration",
        "How long an exchange took, from the checked request to its outcome."
    );

    private static readonly Histogram<double> DecisionDuration = Duration(
        "credbroker.decision.duration",
        "How long policy took to decide an exchange.",
        [0.000001, 0.000002, 0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0005, 0.001, 0.01, 0.1]
    );

    private static readonly Histogram<double> VaultDuration = Duration(
        "credbroker.vault.duration",
        "How long Vault took to answer, by operation and by what came of the call: done, declined, lost or not-sent."
    );

    private static readonly Histogram<double> CommitDuration = Duration(
        "credbroker.store.commit.duration",
        "How long a change waited until it was durable, or refused."
    );

    private static readonly Histogram<int> BatchSize = Meter.CreateHistogram<int>(
        "credbroker.store.batch.size",
        "{change}",
        "How many changes were committed together, by one flush.",
        tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] }
    );

    private static readonly Histogram<double> JobDuration = Duration(
        "credbroker.job.duration",
        "How long a run of a job took, by job and by how it ended: done or failed."
    );

    private static readonly Histogram<double> RevocationLatency = Duration(
        "credbroker.revocation.latency",
        "From the moment that a lease was to end (its expiry, or the order to revoke it) until Vault confirmed it, by cause.",
        [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600]
    );

    private static readonly Counter<long> Events = Meter.CreateCounter<long>(
        "credbroker.events",
        "{event}",
        "Events put on record in the audit log, by type."
    );

    private static readonly Counter<long> Notifications = Meter.CreateCounter<long>(
        "credbroker.notifications",
        "{notification}",
        "Attempts to tell an address of an approval, by the address's name and what became of it: sent or failed."
    );

    /// <summary>A span, where somebody listens; it ends when it is disposed of.</summary>
    public static Activity? Start(string name, ActivityKind kind = ActivityKind.Internal) =>
        Activities.StartActivity(name, kind);

    /// <summary>What an exchange that began then (a <see cref="Stopwatch"/>'s timestamp) came to.</summary>
    public static void Exchanged(string outcome, long started)
    {
        var tag = new KeyValuePair<string, object?>("outcome", outcome);
        Exchanges.Add(1, tag);
        ExchangeDuration.Record(Since(started), tag);
    }

    /// <summary>Policy has decided an exchange; it was asked then.</summary>
    public static void Decided(long started) => DecisionDuration.Record(Since(started));

    /// <summary>What a call to Vault came to that was made then.</summary>
    /// <param name="operation">Which kind of call, of few.</param>
    /// <param name="outcome">Of few, too.</param>
    /// <param name="started">When.</param>
    public static void VaultAnswered(string operation, string outcome, long started) =>
        VaultDuration.Record(Since(started), new("operation", operation), new("outcome", outcome));

    /// <summary>The store has answered a change that was handed to it then.</summary>
    public static void Committed(long started) => CommitDuration.Record(Since(started));

    /// <summary>So many changes were committed together.</summary>
    public static void CommittedTogether(int changes) => BatchSize.Record(changes);

    /// <summary>How a run of a job ended.</summary>
    public static void JobEnded(string job, bool failed, TimeSpan took) =>
        JobDuration.Record(took.TotalSeconds, new("job", job), new("outcome", failed ? "failed" : "done"));

    /// <summary>Vault confirmed the end of a lease, so long after it was due.</summary>
    public static void Revoked(string cause, TimeSpan latency) =>
        RevocationLatency.Record(Math.Max(0, latency.TotalSeconds), new KeyValuePair<string, object?>("cause", cause));

    /// <summary>An event is on record.</summary>
    public static void Recorded(AuditEvent told) =>
        Events.Add(1, new KeyValuePair<string, object?>("type", told.What.Type));

    /// <summary>An attempt to tell an address, by its name, of an approval.</summary>
    public static void Notified(string endpoint, string outcome) =>
        Notifications.Add(1, new("endpoint", endpoint), new("outcome", outcome));

    private static double Since(long started) => Stopwatch.GetElapsedTime(started).TotalSeconds;

    private static Histogram<double> Duration(string name, string description, double[]? bounds = null) =>
        Meter.CreateHistogram<double>(
            name,
            "s",
            description,
            tags: null,
            new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries =
                    bounds ?? [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
            }
        );
}
