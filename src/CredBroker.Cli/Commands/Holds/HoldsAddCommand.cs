using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Holds;

/// <summary><c>credbroker holds add</c>: refuses new issuance and renewal, and leaves what there is.</summary>
internal sealed class HoldsAddCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly HoldOptions _hold = new();

    public HoldsAddCommand(Terminal terminal)
        : base(
            "add",
            "Refuse new secrets and renewals by any of the selectors below, which must all hold. "
                + "What was issued stays until it ends; quarantine takes it back too."
        )
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _hold.AddTo(this);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        var request = _hold.Read(parsed);
        using var connection = _broker.ConnectAsPerson(parsed);
        var hold = await new AdminClient(connection).PlaceHoldAsync(request, cancellationToken);
        return HoldTable.Tell(
            _terminal,
            format,
            hold,
            hold.RecordMissing == true
                ? "The broker's store did not take the hold: it is in force without its record, and nothing at all is "
                    + "issued until that is there. Keep the broker running until it is listed by: credbroker holds list"
                : $"Held. What was issued before stays. To lift it: credbroker holds lift {hold.HoldId} --reason TEXT"
        );
    }
}
