using CredBroker.Cli.Commands.Revocations;

namespace CredBroker.Cli.Commands.Leases;

/// <summary><c>credbroker leases</c>: who holds what, and taking it back.</summary>
internal sealed class LeasesCommand : GroupCommand
{
    public LeasesCommand(Terminal terminal)
        : base("leases", "Who holds what now, and taking it back.")
    {
        Add(new LeasesListCommand(terminal));
        Add(new LeasesShowCommand(terminal));
        Add(new LeasesRevokeCommand(terminal));
        Add(new LeasesConfirmCommand(terminal));
    }
}
