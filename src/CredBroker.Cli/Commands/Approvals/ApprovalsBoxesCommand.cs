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

    public ApprovalsBoxesCommand(Terminal terminal)
        : base("boxes", "The open time boxes, oldest first: what may be issued again without asking.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_cursor);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var page = await new AdminClient(connection).ListTimeBoxesAsync(parsed.GetValue(_cursor), cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(page, BrokerJson.Default.TimeBoxListResponse));
            return ExitCodes.Done;
        }

        if (page.TimeBoxes.Count == 0)
        {
            _terminal.Error.WriteLine("No time box is open that you may see.");
            return ExitCodes.Done;
        }

        Grid.Write(
            _terminal,
            format,
            ["Request", "Agent", "Credential", "Process", "Task", "Uses", "Ends"],
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
                        TimeText.Short(timeBox.EndsAt, format, _terminal.Time),
                    }
                ),
            ]
        );
        if (page.Next is { } next)
        {
            _terminal.Error.WriteLine($"More: --cursor {next}");
        }

        return ExitCodes.Done;
    }
}
