namespace CredBroker.Cli.Commands.Revocations;

/// <summary><c>credbroker orders</c>: what was ordered to be revoked.</summary>
internal sealed class OrdersCommand : GroupCommand
{
    public OrdersCommand(Terminal terminal)
        : base("orders", "What was ordered to be revoked, by whom and why, and how far it is.")
    {
        Add(new OrdersListCommand(terminal));
        Add(new OrdersShowCommand(terminal));
    }
}
