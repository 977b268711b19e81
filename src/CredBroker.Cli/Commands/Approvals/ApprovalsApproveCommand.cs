using System.CommandLine;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals approve</c>: agrees to what has this digest.</summary>
internal sealed class ApprovalsApproveCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Argument<string> _request = ApprovalReport.Argument();
    private readonly Option<string> _digest = new("--digest")
    {
        HelpName = "HEX",
        Description = "What you agree to, as approvals show gives it",
        Required = true,
    };

    public ApprovalsApproveCommand(Terminal terminal)
        : base("approve", "Agree to a request, or to all of a group. It is approved once everybody has who has to.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_digest);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var connection = _broker.ConnectAsPerson(parsed);
        var (client, id) = (new AdminClient(connection), parsed.GetRequiredValue(_request));
        if (GroupReport.IsGroup(id))
        {
            var group = await GroupReport.FindAsync(client, id, cancellationToken);
            var seen = GroupReport.Seen(group, parsed.GetRequiredValue(_digest));
            var decided = await client.ApproveGroupAsync(new() { Requests = seen }, cancellationToken);
            return GroupReport.Write(_terminal, OutputOption.Of(parsed, _terminal), decided);
        }

        var approval = await client.ApproveAsync(
            id,
            new() { Digest = parsed.GetRequiredValue(_digest) },
            cancellationToken
        );
        return ApprovalReport.Write(_terminal, OutputOption.Of(parsed, _terminal), approval);
    }
}
