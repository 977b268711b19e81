using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Owners;

/// <summary><c>credbroker owners list</c>: every owner who is gone.</summary>
internal sealed class OwnersListCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    public OwnersListCommand(Terminal terminal)
        : base("list", "Every owner who is gone, newest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var list = await new AdminClient(connection).ListRetiredOwnersAsync(cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(list, BrokerJson.Default.RetiredOwnerListResponse));
        }
        else if (list.Owners.Count == 0)
        {
            _terminal.Error.WriteLine("Nobody is gone.");
        }
        else
        {
            Grid.Write(
                _terminal,
                format,
                ["Issuer", "Subject", "Processes", new Column("Retired by", 110), "Reason"],
                [
                    .. list.Owners.Select(owner =>
                        new[]
                        {
                            owner.Issuer,
                            owner.Subject,
                            string.Join(' ', owner.Processes),
                            owner.RetiredBy,
                            owner.Reason,
                        }
                    ),
                ]
            );
        }

        return ExitCodes.Done;
    }
}
