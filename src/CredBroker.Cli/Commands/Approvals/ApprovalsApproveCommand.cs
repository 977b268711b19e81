using System.CommandLine;
using CredBroker.Cli.Commands.Credentials;
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
    private readonly Option<TimeSpan?> _timeBox = new("--time-box")
    {
        HelpName = "DURATION",
        Description =
            "Let the same agent have the same again without asking, for so long from the first secret, such as 30m; no "
            + "longer than approvals show says",
        CustomParser = RequestOptions.ParseDuration,
    };

    public ApprovalsApproveCommand(Terminal terminal)
        : base("approve", "Agree to a request, or to all of a group. It is approved once everybody has who has to.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_digest);
        Add(_timeBox);
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
            if (parsed.GetValue(_timeBox) is not null)
            {
                throw CliException.Usage(
                    "A group is approved without a time box.",
                    "Approve the one request that it is for by itself."
                );
            }

            var group = await GroupReport.FindAsync(client, id, cancellationToken);
            var seen = GroupReport.Seen(group, parsed.GetRequiredValue(_digest));
            var decided = await client.ApproveGroupAsync(new() { Requests = seen }, cancellationToken);
            return GroupReport.Write(_terminal, OutputOption.Of(parsed, _terminal), decided);
        }

        var approval = await client.ApproveAsync(
            id,
            new() { Digest = parsed.GetRequiredValue(_digest), TimeBox = parsed.GetValue(_timeBox) },
            cancellationToken
        );
        return ApprovalReport.Write(_terminal, OutputOption.Of(parsed, _terminal), approval);
    }
}
