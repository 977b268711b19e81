using System.CommandLine;
using System.Runtime.CompilerServices;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Audit;

/// <summary>
/// <c>credbroker audit show</c>: everything that happened to one task, lease, agent or approval, from the request to its
/// outcome, and the orders that reached it.
/// </summary>
internal sealed class AuditShowCommand : Command
{
    private const int Most = 10_000;

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<string?> _task = new("--task") { HelpName = "ID", Description = "A task's id" };
    private readonly Option<string?> _lease = new("--lease")
    {
        HelpName = "ID",
        Description = "Or a lease; how its id begins is enough",
    };
    private readonly Option<string?> _agent = new("--agent")
    {
        HelpName = "NAME",
        Description = "Or an agent, as the policy calls it",
    };
    private readonly Option<string?> _approval = new("--approval")
    {
        HelpName = "ID",
        Description = "Or a request for approval: who asked, who agreed, who redeemed it and what came of it",
    };
    private readonly Option<DateTimeOffset?> _from;
    private readonly Option<DateTimeOffset?> _to;
    private readonly Option<string?> _file = new("--file")
    {
        HelpName = "FILE",
        Description = "Read an export instead of asking the broker",
    };

    public AuditShowCommand(Terminal terminal)
        : base("show", "Show what happened to one task, lease, agent or approval, from the request to its outcome.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _from = TimeOption.Create("--from", "The first time wanted", terminal.Time);
        _to = TimeOption.Create("--to", "The first time not wanted; until now, unless given", terminal.Time);
        Add(_task);
        Add(_lease);
        Add(_agent);
        Add(_approval);
        Add(_from);
        Add(_to);
        Add(_file);
        Add(OutputOption.Create());
        _broker.AddForPeople(this);
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var matches = Matcher(parsed);
        var timeline = await FindAsync(LinesAsync(parsed, cancellationToken), matches);
        timeline.Sort(AuditEntry.Compare);
        var format = OutputOption.Of(parsed, _terminal);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine($"[{string.Join(",\n", timeline.Select(entry => entry.Record.GetRawText()))}]");
            return ExitCodes.Done;
        }

        Grid.Write(
            _terminal,
            format,
            ["Time", "Event", "By", "Lease", "Credential", "Rule", "Outcome"],
            [.. timeline.Select(Row)]
        );
        _terminal.Error.WriteLine(
            timeline.Count == 0
                ? "Nothing is on record of it in this range."
                : $"{timeline.Count} events. Whether the log is unaltered, audit verify tells of an export."
        );
        return ExitCodes.Done;
    }

    private static string[] Row(AuditEntry entry) =>
        [
            Printable.Text(entry.Time),
            Printable.Text(entry.Type),
            Printable.Text(entry.Actor),
            Printable.Text(entry.Lease),
            Printable.Text(entry.Credential),
            Printable.Text(entry.Rule),
            Printable.Text(entry.Outcome()),
        ];

    /// <summary>Whether a record is about what was asked for, whatever came before it.</summary>
    private Func<AuditEntry, bool> Matcher(ParseResult parsed) =>
        (parsed.GetValue(_task), parsed.GetValue(_lease), parsed.GetValue(_agent), parsed.GetValue(_approval)) switch
        {
            ({ Length: > 0 } task, null, null, null) => entry => entry.Task == task,
            (null, { Length: > 0 } lease, null, null) => Begins(lease, "lease", entry => entry.Lease),
            (null, null, { Length: > 0 } agent, null) => entry => entry.Agent == agent,
            (null, null, null, { Length: > 0 } approval) => Begins(approval, "request", entry => entry.Approval),
            _ => throw CliException.Usage(
                "One of a task, a lease, an agent or an approval is shown.",
                "Add --task, --lease, --agent or --approval."
            ),
        };

    /// <summary>Whether a record has this id, or the one id in the log that begins so.</summary>
    private static Func<AuditEntry, bool> Begins(string typed, string what, Func<AuditEntry, string> idOf)
    {
        if (!ShortIds.IsShort(typed, what, "credbroker audit show --agent NAME"))
        {
            return entry => idOf(entry) == typed;
        }

        var meant = "";
        return entry =>
        {
            var id = idOf(entry);
            if (!id.StartsWith(typed, StringComparison.Ordinal))
            {
                return false;
            }

            meant = meant.Length == 0 ? id : meant;
            return id == meant ? true : throw ShortIds.Ambiguous(typed, what, [meant, id]);
        };
    }

    private static async Task<List<AuditEntry>> FindAsync(
        IAsyncEnumerable<ReadOnlyMemory<byte>> lines,
        Func<AuditEntry, bool> matches
    )
    {
        var found = new List<AuditEntry>();
        var leases = new HashSet<string>(StringComparer.Ordinal);
        // Who ordered what reached a lease is said once, in the order's own events, which name no lease.
        var orders = new List<AuditEntry>();
        await foreach (var line in lines)
        {
            if (AuditEntry.Read(line) is not { } entry)
            {
                continue;
            }

            if (matches(entry) || (entry.Lease.Length > 0 && leases.Contains(entry.Lease)))
            {
                found.Add(entry);
                if (entry.Lease.Length > 0)
                {
                    leases.Add(entry.Lease);
                }
            }
            else if (entry.Lease.Length == 0 && entry.Revocation.Length > 0)
            {
                orders.Add(entry);
            }

            if (found.Count > Most || orders.Count > Most)
            {
                throw CliException.Usage($"These are more than {Most} events.", "Narrow it with --from and --to.");
            }
        }

        var reached = found
            .Select(entry => entry.Revocation)
            .Where(id => id.Length > 0)
            .ToHashSet(StringComparer.Ordinal);
        found.AddRange(orders.Where(order => reached.Contains(order.Revocation)));
        return found;
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> LinesAsync(
        ParseResult parsed,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var range = new AuditExportRange { From = parsed.GetValue(_from), To = parsed.GetValue(_to) };
        if (parsed.GetValue(_file) is { } path)
        {
            if (range is not { From: null, To: null })
            {
                throw CliException.Usage("--from and --to are asked of the broker, not of a file.", "Leave them out.");
            }

            await foreach (var line in ExportFile.LinesAsync(path, cancellationToken))
            {
                yield return line;
            }

            yield break;
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        await foreach (var line in new AdminClient(connection).ExportAuditAsync(range, cancellationToken))
        {
            yield return line.Bytes;
        }
    }
}
