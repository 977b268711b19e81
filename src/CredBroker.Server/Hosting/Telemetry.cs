using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace CredBroker.Server.Hosting;

/// <summary>
/// What an observer can subscribe to: activities and counters named <c>CredBroker</c>. Tags hold codes, names of the
/// catalogue and ids; never a token, a secret or an agent's text.
/// </summary>
internal sealed class Telemetry : IDisposable
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "CredBroker";

    private readonly ActivitySource _activities = new(Name);
    private readonly Counter<long> _exchanges;
    private readonly Histogram<double> _durations;
    private readonly Counter<long> _notifications;
    private readonly TimeProvider _time;

    public Telemetry(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(Name);
        _exchanges = meter.CreateCounter<long>(
            "credbroker.exchanges",
            "{exchange}",
            "Exchanges by what became of them: issued, or the code of the refusal."
        );
        _durations = meter.CreateHistogram<double>("credbroker.exchange.duration", "s", "How long an exchange took.");
        _notifications = meter.CreateCounter<long>(
            "credbroker.notifications",
            "{notification}",
            "Notifications by address and what became of them: sent or failed, each attempt."
        );
    }

    /// <summary>One exchange, from the checked request to its outcome.</summary>
    public ExchangeMeasure Exchange() =>
        new(this, _activities.StartActivity("credbroker.exchange"), _time.GetTimestamp());

    /// <summary>An attempt to tell an address, by its name, of an approval.</summary>
    public void Notified(string endpoint, string outcome) =>
        _notifications.Add(
            1,
            new KeyValuePair<string, object?>("endpoint", endpoint),
            new KeyValuePair<string, object?>("outcome", outcome)
        );

    public void Dispose() => _activities.Dispose();

    /// <summary>An exchange under way.</summary>
    internal readonly struct ExchangeMeasure(Telemetry telemetry, Activity? activity, long started) : IDisposable
    {
        /// <summary>
        /// What became of it: <c>issued</c> or a code. The credential is tagged only where one was issued: until then it
        /// is whatever the caller wrote, known or not.
        /// </summary>
        public void End(string outcome, string? credential, string? leaseId, string? decisionId)
        {
            activity?.SetTag("credbroker.credential", credential);
            activity?.SetTag("credbroker.outcome", outcome);
            activity?.SetTag("credbroker.lease_id", leaseId);
            activity?.SetTag("credbroker.decision_id", decisionId);
            telemetry._exchanges.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
            telemetry._durations.Record(
                telemetry._time.GetElapsedTime(started).TotalSeconds,
                new KeyValuePair<string, object?>("outcome", outcome)
            );
        }

        public void Dispose() => activity?.Dispose();
    }
}
