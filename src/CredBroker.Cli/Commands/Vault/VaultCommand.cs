namespace CredBroker.Cli.Commands.Vault;

/// <summary><c>credbroker vault</c>: prepares Vault for a catalogue, checks that it is, and says which one is believed.</summary>
internal sealed class VaultCommand : GroupCommand
{
    public VaultCommand(Terminal terminal)
        : base("vault", "Prepare Vault or OpenBao for a catalogue, and check it.")
    {
        Add(new VaultSetupCommand(terminal));
        Add(new VaultCheckCommand(terminal));
        Add(new VaultClusterCommand(terminal));
    }
}
