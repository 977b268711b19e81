using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Leases;

/// <summary>
/// <c>credbroker leases confirm</c>: the last way out for a lease whose revocation nobody can prove.
/// </summary>
internal sealed class LeasesConfirmCommand : Command
{
    private readonly Argument<string> _lease = new("LEASE")
    {
        Description = "The lease's id, or how it begins",
        Validators = { KnownIds.Check },
    };

    private readonly Option<string> _evidence = new("--evidence")
    {
        Description = "What you saw that shows that its secret is gone; kept in the audit log",
        Required = true,
    };

    public LeasesConfirmCommand(Terminal terminal)
        : base("confirm", "Calls a lease revoked on your word: only if you have seen that its secret is gone.")
    {
        var broker = new BrokerOptions(terminal);
        Add(_lease);
        Add(_evidence);
        broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(
            async (parsed, cancellationToken) =>
            {
                using var connection = broker.ConnectAsPerson(parsed);
                var client = new AdminClient(connection);
                var confirmed = await client.ConfirmLeaseAsync(
                    await KnownIds.LeaseAsync(client, parsed.GetRequiredValue(_lease), cancellationToken),
                    new() { Evidence = parsed.GetRequiredValue(_evidence) },
                    cancellationToken
                );
                if (OutputOption.Of(parsed, terminal) == OutputFormat.Json)
                {
                    terminal.Out.WriteLine(JsonSerializer.Serialize(confirmed, BrokerJson.Default.LeaseResponse));
                    return ExitCodes.Done;
                }

                terminal.Out.WriteLine(
                    $"{confirmed.LeaseId} is {confirmed.State}, on the word of "
                        + $"{Printable.Text(confirmed.Revocation?.ConfirmedBy ?? "somebody")}."
                );
                return ExitCodes.Done;
            }
        );
    }
}
