using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals show</c>: one request or group, what the broker knows of it and what the agent says.</summary>
internal sealed class ApprovalsShowCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _request = ApprovalReport.Argument();

    public ApprovalsShowCommand(Terminal terminal)
        : base("show", "One request or group: what the broker knows, what the agent says, and the digest to agree to.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var id = await KnownIds.OpenRequestAsync(client, parsed.GetRequiredValue(_request), cancellationToken);
        var format = OutputOption.Of(parsed, _terminal);
        return GroupReport.IsGroup(id)
            ? GroupReport.Write(_terminal, format, await GroupReport.FindAsync(client, id, cancellationToken))
            : ApprovalReport.Write(_terminal, format, await client.GetApprovalAsync(id, cancellationToken));
    }
}
