namespace CredBroker.Cli.Commands.Store;

/// <summary><c>credbroker store</c>: the broker's store.</summary>
internal sealed class StoreCommand : GroupCommand
{
    public StoreCommand(Terminal terminal)
        : base("store", "The broker's store.")
    {
        Add(new StoreAcceptCommand(terminal));
        Add(new StoreClockCommand(terminal));
    }
}
