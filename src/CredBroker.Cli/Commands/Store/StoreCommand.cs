namespace CredBroker.Cli.Commands.Store;

/// <summary>
/// <c>credbroker store</c>: the broker's store. <c>clock</c> asks the broker; the others open the store themselves, on a
/// host and as a user that may.
/// </summary>
internal sealed class StoreCommand : GroupCommand
{
    public StoreCommand(Terminal terminal)
        : base("store", "The broker's store.")
    {
        Add(new StoreAcceptCommand(terminal));
        Add(new StoreClockCommand(terminal));
        Add(new StoreCopyCommand(terminal));
        Add(new StoreInfoCommand(terminal));
        Add(new StoreMigrateCommand(terminal));
        Add(new StoreRightsCommand(terminal));
    }
}
