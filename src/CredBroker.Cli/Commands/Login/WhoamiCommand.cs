using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Commands.Login;

/// <summary><c>credbroker whoami</c>: whom the broker sees in this token, be it a person's or a workload's.</summary>
internal sealed class WhoamiCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    public WhoamiCommand(Terminal terminal)
        : base("whoami", "Whom the broker sees: a person with roles and groups, or an agent with its processes.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var connection = _broker.ConnectAsEither(parsed);
        WhoamiTable.Write(
            _terminal,
            OutputOption.Of(parsed, _terminal),
            await connection.WhoamiAsync(cancellationToken)
        );
        return ExitCodes.Done;
    }
}
