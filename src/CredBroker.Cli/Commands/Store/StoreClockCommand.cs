using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Store;

/// <summary><c>credbroker store clock</c>: the store's clock beside the broker's, and setting it by that.</summary>
internal sealed class StoreClockCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<bool> _repair = new("--repair")
    {
        Description = "Set the store's clock by the clock of the broker's host, which is right; needs --reason",
    };
    private readonly Option<string?> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why it is repaired; stands in the audit log",
    };

    public StoreClockCommand(Terminal terminal)
        : base("clock", "The store's clock, by which everything ends, and the clock of the broker's host.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_repair);
        Add(_reason);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var (repair, reason) = (parsed.GetValue(_repair), parsed.GetValue(_reason));
        if (repair == string.IsNullOrWhiteSpace(reason))
        {
            throw CliException.Usage(
                "--repair and --reason belong together.",
                "First look with credbroker store clock; if the host's clock is right, add --repair --reason TEXT."
            );
        }

        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var clock = repair
            ? await client.RepairClockAsync(new() { Reason = reason! }, cancellationToken)
            : await client.GetClockAsync(cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(clock, BrokerJson.Default.StoreClockResponse));
        }
        else
        {
            Grid.WriteFields(
                _terminal,
                format,
                [
                    ("Store", TimeText.Rfc3339(clock.StoreTime)),
                    ("Broker", TimeText.Rfc3339(clock.BrokerTime)),
                    ("Issuing", clock.KeepsFromIssuing ? "paused: the two differ" : "not kept by the clock"),
                ]
            );
        }

        return clock.KeepsFromIssuing ? ExitCodes.FaultsFound : ExitCodes.Done;
    }
}
