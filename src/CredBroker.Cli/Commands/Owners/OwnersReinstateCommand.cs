using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Owners;

/// <summary><c>credbroker owners reinstate</c>: an owner is back.</summary>
internal sealed class OwnersReinstateCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly OwnerArguments _owner = new();

    public OwnersReinstateCommand(Terminal terminal)
        : base("reinstate", "An owner is back: their processes have an owner again.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _owner.AddTo(this);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var back = await new AdminClient(connection).ReinstateOwnerAsync(_owner.Of(parsed), cancellationToken);
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(back, BrokerJson.Default.RetiredOwnerResponse));
        }
        else
        {
            _terminal.Error.WriteLine(
                back.Processes.Count == 0
                    ? "Back. No process of the policy in force names them as owner."
                    : $"Back: {string.Join(' ', back.Processes)} have an owner again."
            );
        }

        return ExitCodes.Done;
    }
}
