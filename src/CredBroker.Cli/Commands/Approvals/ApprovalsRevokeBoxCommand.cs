using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals revoke-box</c>: ends a time box before its time.</summary>
internal sealed class ApprovalsRevokeBoxCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _request = new("REQUEST")
    {
        Description = "The id of the request whose time box it is, or how it begins",
        Validators = { KnownIds.Check },
    };
    private readonly Option<string> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why",
        Required = true,
    };
    private readonly Option<bool> _leases = new("--leases")
    {
        Description = "Revoke what was issued in it, too; without, it ends by its own time",
    };

    public ApprovalsRevokeBoxCommand(Terminal terminal)
        : base("revoke-box", "End the time box of a request before its time: from then on people are asked again.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_reason);
        Add(_leases);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var ended = await client.RevokeTimeBoxAsync(
            await KnownIds.TimeBoxAsync(client, parsed.GetRequiredValue(_request), cancellationToken),
            new() { Reason = parsed.GetRequiredValue(_reason), Leases = parsed.GetValue(_leases) ? true : null },
            cancellationToken
        );
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(ended, BrokerJson.Default.TimeBoxResponse));
            return ExitCodes.Done;
        }

        Grid.WriteFields(
            _terminal,
            format,
            [
                ("Request", ended.ApprovalId),
                ("Time box", ended.State),
                ("Ended", ended.EndedAt is { } at ? TimeText.Full(at, format, _terminal.Time) : null),
                ("Cause", ended.Cause),
                ("By", ended.EndedBy is { } by ? Printable.Text(by) : null),
                ("Order", ended.RevocationId),
            ]
        );
        return ExitCodes.Done;
    }
}
