using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Revocations;

/// <summary><c>credbroker orders show</c>: how far one order is, lease by lease.</summary>
internal sealed class OrdersShowCommand : Command
{
    private readonly Argument<string> _order = new("ORDER") { Description = "The order's id" };

    public OrdersShowCommand(Terminal terminal)
        : base(
            "show",
            "How far one order is, lease by lease, and what may still be accepted. Exit code 4 until it is done."
        )
    {
        var broker = new BrokerOptions(terminal);
        Add(_order);
        broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsPerson(parsed);
                var order = parsed.GetRequiredValue(_order);
                return RevocationReport.Tell(
                    terminal,
                    order,
                    await new AdminClient(connection).GetRevocationAsync(order, cancellationToken: cancellationToken),
                    OutputOption.Of(parsed, terminal)
                );
            }
        );
    }
}
