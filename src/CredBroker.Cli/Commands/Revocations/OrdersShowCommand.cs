using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Revocations;

/// <summary><c>credbroker orders show</c>: how far one order is, lease by lease.</summary>
internal sealed class OrdersShowCommand : Command
{
    private readonly Argument<string> _order = new("ORDER")
    {
        Description = "The order's id, or how it begins",
        Validators = { KnownIds.Check },
    };
    private readonly Watch _watch = new();

    public OrdersShowCommand(Terminal terminal)
        : base(
            "show",
            "How far one order is, lease by lease, and what may still be accepted. Exit code 4 until it is done; "
                + "--watch ends when it is."
        )
    {
        var broker = new BrokerOptions(terminal);
        Add(_order);
        _watch.AddTo(this);
        broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                var format = OutputOption.Of(parsed, terminal);
                using var connection = broker.ConnectAsPerson(parsed);
                var client = new AdminClient(connection);
                var order = await KnownIds.OrderAsync(client, parsed.GetRequiredValue(_order), cancellationToken);
                return await _watch.RunAsync(
                    parsed,
                    terminal,
                    async shown =>
                    {
                        var progress = await client.GetRevocationAsync(order, cancellationToken);
                        return new(RevocationReport.Tell(shown, order, progress, format), progress.Complete);
                    },
                    cancellationToken
                );
            }
        );
    }
}
