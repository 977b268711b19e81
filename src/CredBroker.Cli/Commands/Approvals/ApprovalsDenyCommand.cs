using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals deny</c>: refuses a request, for a reason that the agent may read.</summary>
internal sealed class ApprovalsDenyCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _request = ApprovalReport.Argument();
    private readonly Option<string> _reason = new("--reason")
    {
        HelpName = "TEXT",
        Description = "Why; the agent may read it",
        Required = true,
    };
    private readonly Option<string?> _digest = new("--digest")
    {
        HelpName = "HEX",
        Description = "Of a group: what you refuse, as approvals show gives it",
    };

    public ApprovalsDenyCommand(Terminal terminal)
        : base("deny", "Refuse a request that was not redeemed yet, or all of a group.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_reason);
        Add(_digest);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var id = await KnownIds.OpenRequestAsync(client, parsed.GetRequiredValue(_request), cancellationToken);
        if (GroupReport.IsGroup(id))
        {
            var group = await GroupReport.FindAsync(client, id, cancellationToken);
            var seen = GroupReport.Seen(group, parsed.GetValue(_digest));
            var decided = await client.DenyGroupAsync(
                new() { Requests = seen, Reason = parsed.GetRequiredValue(_reason) },
                cancellationToken
            );
            return GroupReport.Write(_terminal, OutputOption.Of(parsed, _terminal), decided);
        }

        var approval = await client.DenyApprovalAsync(
            id,
            new() { Reason = parsed.GetRequiredValue(_reason) },
            cancellationToken
        );
        return ApprovalReport.Write(_terminal, OutputOption.Of(parsed, _terminal), approval);
    }
}
