using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary><c>credbroker release</c>: an agent gives its secret back before its time.</summary>
internal sealed class ReleaseCommand : Command
{
    private readonly Argument<string> _lease = new("LEASE")
    {
        Description = "The lease's id, as exchange told it",
        Validators = { KnownIds.Check },
    };

    public ReleaseCommand(Terminal terminal)
        : base("release", "Give a secret back: it is revoked now.")
    {
        var broker = new BrokerOptions(terminal);
        Add(_lease);
        broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsAgent(parsed);
                var release = await new AgentClient(connection).ReleaseAsync(
                    parsed.GetRequiredValue(_lease),
                    cancellationToken
                );
                if (OutputOption.Of(parsed, terminal) != OutputFormat.Json)
                {
                    return Tell(release, terminal);
                }

                terminal.Out.WriteLine(JsonSerializer.Serialize(release, BrokerJson.Default.ReleaseResponse));
                return ExitCodeOf(release);
            }
        );
    }

    /// <summary>What a release came to, on standard error.</summary>
    public static int Tell(ReleaseResponse release, Terminal terminal)
    {
        terminal.Error.WriteLine(
            release.State switch
            {
                LeaseStates.Revoked => "Released: the secret is revoked, and Vault has confirmed it.",
                LeaseStates.Ended => "Released: the lease has ended. Nobody can revoke this secret.",
                _ => "Release accepted, but not confirmed yet: the broker goes on revoking.",
            }
        );
        foreach (var valid in release.StillValid ?? [])
        {
            terminal.Error.WriteLine(
                $"Still valid{(valid.Until is { } until ? $" until {TimeText.Rfc3339(until)}" : "")}: {Printable.Text(valid.What)}"
            );
        }

        return ExitCodeOf(release);
    }

    private static int ExitCodeOf(ReleaseResponse release) =>
        LeaseStates.IsFinal(release.State) ? ExitCodes.Done : ExitCodes.Unavailable;
}
