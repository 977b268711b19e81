using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands;

/// <summary><c>credbroker release</c>: an agent gives its secret back before its time.</summary>
internal sealed class ReleaseCommand : Command
{
    private readonly Argument<string> _lease = new("LEASE") { Description = "The lease's id, as exchange told it" };

    public ReleaseCommand(Terminal terminal)
        : base("release", "Give a secret back: it is revoked now.")
    {
        var broker = new BrokerOptions(terminal);
        Add(_lease);
        broker.AddForAgents(this);
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var session = broker.ConnectAsAgent(parsed);
                return Tell(
                    await session.Client.ReleaseAsync(parsed.GetRequiredValue(_lease), cancellationToken),
                    terminal
                );
            }
        );
    }

    /// <summary>What a release came to, on standard error.</summary>
    public static int Tell(ReleaseResponse release, Terminal terminal)
    {
        var (exitCode, text) = release.State switch
        {
            LeaseStates.Revoked => (ExitCodes.Done, "Released: the secret is revoked, and Vault has confirmed it."),
            LeaseStates.Ended => (ExitCodes.Done, "Released: the lease has ended. Nobody can revoke this secret."),
            _ => (ExitCodes.Unavailable, "Release accepted, but not confirmed yet: the broker goes on revoking."),
        };
        terminal.Error.WriteLine(text);
        foreach (var valid in release.StillValid ?? [])
        {
            terminal.Error.WriteLine(
                $"Still valid{(valid.Until is { } until ? $" until {Moment.Exact(until)}" : "")}: "
                    + $"{Printable.Text(valid.What)}"
            );
        }

        return exitCode;
    }
}
