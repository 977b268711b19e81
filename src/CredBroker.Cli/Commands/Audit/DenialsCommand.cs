using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Audit;

/// <summary><c>credbroker denials</c>: who was denied what of late, and why, from the audit log.</summary>
internal sealed class DenialsCommand : Command
{
    private const string Denied = "request.denied";
    private const int Most = 1000;

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<DateTimeOffset?> _since;
    private readonly Option<string?> _process = new("--process")
    {
        HelpName = "NAME",
        Description = "Only those of this business process",
    };
    private readonly Option<string?> _agent = new("--agent")
    {
        HelpName = "NAME",
        Description = "Only those of this agent, as the policy calls it",
    };

    // Each look reads the log of the whole period, and is an export that stands in the log itself.
    private readonly Watch _watch = new(usualSeconds: 10, shortestSeconds: 10);

    public DenialsCommand(Terminal terminal)
        : base("denials", "Who was denied what of late, and why: for policy authors and incident responders.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _since = TimeOption.Create("--since", "The first time wanted; an hour ago unless given", terminal.Time);
        Add(_since);
        Add(_process);
        Add(_agent);
        _watch.AddTo(this);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        return await _watch.RunAsync(
            parsed,
            _terminal,
            shown => LookAsync(client, parsed, shown, cancellationToken),
            cancellationToken
        );
    }

    private async Task<Look> LookAsync(
        AdminClient client,
        ParseResult parsed,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        var from = parsed.GetValue(_since) ?? terminal.Time.GetUtcNow() - TimeSpan.FromHours(1);
        var kinds = new Dictionary<DenialKind, (int Count, string Last)>();
        await foreach (var line in client.ExportAuditAsync(new() { From = from }, cancellationToken))
        {
            if (AuditEntry.Read(line.Bytes) is not { Type: Denied } entry || !Matches(parsed, entry))
            {
                continue;
            }

            var kind = new DenialKind(
                entry.Process,
                entry.Agent.Length > 0 ? entry.Agent : entry.Text("actor", "subject"),
                entry.Credential,
                entry.Reason,
                entry.Rule
            );
            var before = kinds.GetValueOrDefault(kind, (Count: 0, Last: ""));
            kinds[kind] = (
                before.Count + 1,
                string.CompareOrdinal(entry.Time, before.Last) > 0 ? entry.Time : before.Last
            );
            if (kinds.Count > Most)
            {
                throw CliException.Usage(
                    $"These are more than {Most} kinds of denials.",
                    "Narrow it with --since, --process or --agent."
                );
            }
        }

        Tell(
            [
                .. kinds
                    .OrderByDescending(kind => kind.Value.Count)
                    .ThenByDescending(kind => kind.Value.Last, StringComparer.Ordinal)
                    .Select(kind => new DenialOutput(
                        kind.Value.Count,
                        kind.Value.Last,
                        kind.Key.Process,
                        kind.Key.Agent,
                        kind.Key.Credential,
                        kind.Key.Code,
                        kind.Key.Rule
                    )),
            ],
            from,
            OutputOption.Of(parsed, terminal),
            terminal
        );
        return ExitCodes.Done;
    }

    private bool Matches(ParseResult parsed, AuditEntry entry) =>
        (parsed.GetValue(_process) is not { } process || entry.Process == process)
        && (parsed.GetValue(_agent) is not { } agent || entry.Agent == agent);

    private static void Tell(DenialOutput[] denials, DateTimeOffset from, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(denials, CliJson.Default.DenialOutputArray));
            return;
        }

        if (denials.Length == 0)
        {
            terminal.Error.WriteLine(
                $"Nobody was denied anything by policy, a hold or a limit since {TimeText.Rfc3339(from)}. Calls whose "
                    + "identity was not accepted are no denials: credbroker audit export has them."
            );
            return;
        }

        Grid.Write(
            terminal,
            format,
            ["Times", "Agent", "Credential", "Why", new Column("Process", 100), new Column("Last", 120)],
            [
                .. denials.Select(denial =>
                    new[]
                    {
                        $"{denial.Count}",
                        denial.Agent,
                        denial.Credential,
                        Why(denial),
                        denial.Process,
                        denial.Last,
                    }
                ),
            ]
        );
        terminal.Error.WriteLine(
            "What one of them was decided from: credbroker audit show --agent NAME. What is denied too often in a "
                + "minute to be recorded one by one stands in the log as a count, and not here."
        );
    }

    private static string Why(DenialOutput denial) =>
        $"{denial.Code} {ErrorCodes.Find(denial.Code)?.Title}{(denial.Rule.Length > 0 ? $" (rule {denial.Rule})" : "")}";

    private readonly record struct DenialKind(
        string Process,
        string Agent,
        string Credential,
        string Code,
        string Rule
    );
}

/// <summary>Denials of one kind.</summary>
/// <param name="Count">How many.</param>
/// <param name="Last">When the last of them was, RFC 3339.</param>
/// <param name="Process">The business process; empty where the request came to none.</param>
/// <param name="Agent">The agent as policy calls it; its subject where no process admits it.</param>
/// <param name="Credential">What was asked for.</param>
/// <param name="Code">The refusal's code.</param>
/// <param name="Rule">The rule that denied; empty where none did.</param>
internal sealed record DenialOutput(
    int Count,
    string Last,
    string Process,
    string Agent,
    string Credential,
    string Code,
    string Rule
);
