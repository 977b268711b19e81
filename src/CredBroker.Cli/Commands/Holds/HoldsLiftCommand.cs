using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Holds;

/// <summary><c>credbroker holds lift</c>: ends a hold before its time.</summary>
internal sealed class HoldsLiftCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _hold = new("HOLD")
    {
        Description = "The hold's id, or how it begins",
        Validators = { KnownIds.Check },
    };
    private readonly Option<string> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; stands in the audit log",
        Required = true,
    };

    public HoldsLiftCommand(Terminal terminal)
        : base("lift", "Lift a hold: what it refused is issued again.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_hold);
        Add(_reason);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var hold = await client.LiftHoldAsync(
            await KnownIds.HoldAsync(client, parsed.GetRequiredValue(_hold), cancellationToken),
            new() { Reason = parsed.GetRequiredValue(_reason) },
            cancellationToken
        );
        return HoldTable.Tell(_terminal, format, hold, "Lifted: what it refused is issued again.");
    }
}
