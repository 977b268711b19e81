using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Credentials;

/// <summary><c>credbroker renew</c>: an agent asks for a longer life of its secret.</summary>
internal sealed class RenewCommand : Command
{
    private readonly Argument<string> _lease = new("LEASE")
    {
        Description = "The lease's id, as exchange told it",
        Validators = { KnownIds.Check },
    };
    private readonly Option<TimeSpan?> _ttl = new("--ttl")
    {
        HelpName = "10m",
        Description = "For how long from now; as long as at first unless given",
        CustomParser = RequestOptions.ParseDuration,
    };

    public RenewCommand(Terminal terminal)
        : base("renew", "Lengthen a secret's life, within what was decided and what policy says now.")
    {
        var broker = new BrokerOptions(terminal);
        Add(_lease);
        Add(_ttl);
        broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsAgent(parsed);
                var lease = await new AgentClient(connection).RenewAsync(
                    parsed.GetRequiredValue(_lease),
                    new() { Ttl = parsed.GetValue(_ttl) },
                    cancellationToken
                );
                if (OutputOption.Of(parsed, terminal) == OutputFormat.Json)
                {
                    terminal.Out.WriteLine(JsonSerializer.Serialize(lease, BrokerJson.Default.LeaseResponse));
                }
                else
                {
                    terminal.Error.WriteLine(
                        $"Renewed: the secret ends at {TimeText.Full(lease.ExpiresAt, OutputOption.Of(parsed, terminal), terminal.Time)}."
                    );
                }

                return ExitCodes.Done;
            }
        );
    }
}
