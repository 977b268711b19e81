using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals boxes</c>: what may be issued again without asking.</summary>
internal sealed class ApprovalsBoxesCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<string?> _cursor = new("--cursor")
    {
        HelpName = "CURSOR",
        Description = "Goes on where an earlier page ended",
    };

    private readonly Watch _watch = new();

    public ApprovalsBoxesCommand(Terminal terminal)
        : base("boxes", "The open time boxes, oldest first: what may be issued again without asking.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_cursor);
        _watch.AddTo(this);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        return await _watch.RunAsync(
            parsed,
            _terminal,
            async shown =>
                Write(await client.ListTimeBoxesAsync(parsed.GetValue(_cursor), cancellationToken), format, shown),
            cancellationToken
        );
    }

    private static int Write(TimeBoxListResponse page, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(page, BrokerJson.Default.TimeBoxListResponse));
            return ExitCodes.Done;
        }

        if (page.TimeBoxes.Count == 0)
        {
            terminal.Error.WriteLine("No time box is open that you may see.");
            return ExitCodes.Done;
        }

        Grid.Write(
            terminal,
            format,
            [Column.Id("Request"), "Agent", "Credential", "Process", "Task", "Uses", "Ends"],
            [
                .. page.TimeBoxes.Select(timeBox =>
                    new[]
                    {
                        timeBox.ApprovalId,
                        timeBox.Executor ?? timeBox.Requester.Agent ?? timeBox.Requester.Subject,
                        timeBox.Credential,
                        timeBox.Process,
                        timeBox.Task,
                        timeBox.Uses.ToString(CultureInfo.InvariantCulture),
                        TimeText.Short(timeBox.EndsAt, format, terminal.Time),
                    }
                ),
            ]
        );
        if (page.Next is { } next)
        {
            terminal.Error.WriteLine($"More: --cursor {next}");
        }

        return ExitCodes.Done;
    }
}
