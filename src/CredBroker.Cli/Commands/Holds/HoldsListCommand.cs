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
    private readonly Watch _watch = new();

    public HoldsListCommand(Terminal terminal)
        : base("list", "Every hold in force, newest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
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
            async shown => Write(await client.ListHoldsAsync(cancellationToken), format, shown),
            cancellationToken
        );
    }

    private static int Write(HoldListResponse list, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(list, BrokerJson.Default.HoldListResponse));
        }
        else if (list.Holds.Count == 0)
        {
            terminal.Error.WriteLine("Nothing is held.");
        }
        else
        {
            HoldTable.Write(terminal, format, list.Holds);
        }

        return ExitCodes.Done;
    }
}
