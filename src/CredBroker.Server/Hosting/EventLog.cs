using System.Buffers;
using System.Text;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Text;

namespace CredBroker.Server.Hosting;

/// <summary>
/// One line on the console for each event that the audit log has taken, and a count of them. The line is made from the
/// event's envelope: it has ids, codes and names, the trace id that the caller was given, and no secret, because no event
/// has one. The audit log is the record; this is for whoever watches.
/// </summary>
internal sealed class EventLog(IAuditLog audit, ILoggerFactory loggers)
{
    /// <summary>The category, by which <c>Log:Levels</c> can say that nothing or only warnings are written.</summary>
    public const string Category = "CredBroker.Events";

    private readonly ILogger _log = loggers.CreateLogger(Category);

    /// <summary>From here on.</summary>
    public void Start() => audit.Recorded += Write;

    private void Write(AuditEvent told)
    {
        Telemetry.Recorded(told);
        var level = told.What is RevocationFailed ? LogLevel.Warning : LogLevel.Information;
        if (_log.IsEnabled(level))
        {
            _log.Log(level, default, new Line(told), null, static (line, _) => line.ToString());
        }
    }

    /// <summary>What there is to say, as fields and as one line <c>event name=value …</c>.</summary>
    private sealed class Line : List<KeyValuePair<string, object?>>
    {
        private static readonly SearchValues<char> Ambiguous = SearchValues.Create(" =\"\\\r\n\t");
        private readonly string _type;

        public Line(AuditEvent told)
        {
            _type = told.What.Type;
            Add("event", _type);
            Add("reason", told.Reason);
            Add("lease", told.LeaseId);
            Add("decision", told.DecisionId);
            Add("revocation", told.RevocationId);
            Add("credential", told.Credential);
            Add("process", told.Process);
            Add("task", told.TaskId);
            Add("agent", told.Holder?.Agent);
            Add("instance", told.Holder?.Instance);
            Add("rule", told.Holder?.Rule);
            Add("by", told.Actor.ToString());
            AddDetails(told.What);
            Add("trace", told.TraceId);
        }

        public override string ToString()
        {
            var text = new StringBuilder(_type);
            foreach (var (name, value) in this)
            {
                if (name != "event")
                {
                    text.Append(' ').Append(name).Append('=');
                    AppendValue(text, value!.ToString()!);
                }
            }

            return text.ToString();
        }

        private void Add(string name, object? value)
        {
            if (value is not (null or ""))
            {
                Add(new(name, value));
            }
        }

        private void AddDetails(AuditFact what)
        {
            switch (what)
            {
                case LeaseIssued issued:
                    Add("expires", issued.ExpiresAt.ToString("O"));
                    break;
                case RevocationFailed failed:
                    Add("error", failed.Error);
                    break;
                case HoldPlaced placed:
                    Add("hold", placed.HoldId);
                    Add("why", placed.Reason);
                    Add("until", placed.Until?.ToString("O"));
                    break;
                case HoldLifted lifted:
                    Add("hold", lifted.HoldId);
                    Add("why", lifted.Reason);
                    break;
                case PolicyApplied applied:
                    Add("version", applied.Version);
                    Add("hash", applied.Hash);
                    break;
                case AdminAction action:
                    Add("call", action.Call);
                    break;
            }
        }

        /// <summary>A value that could be taken for more than one is quoted: agents name their own tasks.</summary>
        private static void AppendValue(StringBuilder text, string value)
        {
            if (!value.AsSpan().ContainsAny(Ambiguous) && VisibleText.IsIn(value))
            {
                text.Append(value);
                return;
            }

            text.Append('"');
            foreach (var rune in value.EnumerateRunes())
            {
                var written = rune.ToString();
                text.Append(
                    written switch
                    {
                        "\"" or "\\" => "\\" + written,
                        " " => written,
                        // What hides or turns text around is said, not done.
                        _ when !VisibleText.IsIn(written) => $"\\u{{{rune.Value:x}}}",
                        _ => written,
                    }
                );
            }

            text.Append('"');
        }
    }
}
