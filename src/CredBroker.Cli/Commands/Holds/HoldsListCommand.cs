using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Holds;

/// <summary><c>credbroker holds list</c>: every hold in force.</summary>
internal sealed class HoldsListCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    public HoldsListCommand(Terminal terminal)
        : base("list", "Every hold in force, newest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var list = await new AdminClient(connection).ListHoldsAsync(cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(list, BrokerJson.Default.HoldListResponse));
        }
        else if (list.Holds.Count == 0)
        {
            _terminal.Error.WriteLine("Nothing is held.");
        }
        else
        {
            HoldTable.Write(_terminal, format, list.Holds);
        }

        return ExitCodes.Done;
    }
}
