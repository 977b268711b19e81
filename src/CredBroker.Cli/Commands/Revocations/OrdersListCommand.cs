using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Commands.Leases;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Revocations;

/// <summary><c>credbroker orders list</c>: orders to revoke, newest first.</summary>
internal sealed class OrdersListCommand : Command
{
    private readonly Option<long?> _before = new("--before")
    {
        HelpName = "NUMBER",
        Description = "Only earlier orders: the number that the last page named",
    };

    private readonly Watch _watch = new();

    public OrdersListCommand(Terminal terminal)
        : base("list", "Orders to revoke, newest first; 100 at a time.")
    {
        var broker = new BrokerOptions(terminal);
        Add(_before);
        _watch.AddTo(this);
        broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                var format = OutputOption.Of(parsed, terminal);
                using var connection = broker.ConnectAsPerson(parsed);
                var client = new AdminClient(connection);
                return await _watch.RunAsync(
                    parsed,
                    terminal,
                    async shown =>
                    {
                        var page = await client.ListRevocationsAsync(parsed.GetValue(_before), cancellationToken);
                        Write(page, format, shown);
                        return ExitCodes.Done;
                    },
                    cancellationToken
                );
            }
        );
    }

    private static void Write(RevocationOrderListResponse page, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(page, BrokerJson.Default.RevocationOrderListResponse));
            return;
        }

        if (page.Orders.Count == 0)
        {
            terminal.Error.WriteLine("Nothing was ordered. Leases that run out or are given back need no order.");
            return;
        }

        Grid.Write(
            terminal,
            format,
            [Column.Id("Order"), "When", "Reaches", "Reason", new Column("By", 110), new Column("Leases", 130)],
            [
                .. page.Orders.Select(order =>
                    new[]
                    {
                        order.RevocationId,
                        TimeText.Short(order.RequestedAt, format, terminal.Time),
                        SelectorOptions.Words(order, order.Everything == true),
                        order.Reason.Length > 0 ? order.Reason : order.Cause,
                        order.RequestedBy,
                        order.EnumeratedAt is null ? "looking for them" : "all known",
                    }
                ),
            ]
        );
        terminal.Error.WriteLine(
            "How far one is: credbroker orders show ORDER"
                + (page.Next is { } next ? $". There are more: --before {next}" : "")
        );
    }
}
