namespace CredBroker.Cli.Commands.Owners;

/// <summary><c>credbroker owners</c>: owners of processes who are gone.</summary>
internal sealed class OwnersCommand : GroupCommand
{
    public OwnersCommand(Terminal terminal)
        : base("owners", "Owners of processes who are gone.")
    {
        Add(new OwnersListCommand(terminal));
        Add(new OwnersRetireCommand(terminal));
        Add(new OwnersReinstateCommand(terminal));
    }
}
