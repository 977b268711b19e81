namespace CredBroker.Cli.Commands.Holds;

/// <summary><c>credbroker holds</c>: what is neither issued nor renewed.</summary>
internal sealed class HoldsCommand : GroupCommand
{
    public HoldsCommand(Terminal terminal)
        : base("holds", "What is neither issued nor renewed, because an admin says so.")
    {
        Add(new HoldsListCommand(terminal));
        Add(new HoldsAddCommand(terminal));
        Add(new HoldsLiftCommand(terminal));
    }
}
