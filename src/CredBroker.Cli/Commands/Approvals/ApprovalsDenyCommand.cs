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

    public ApprovalsDenyCommand(Terminal terminal)
        : base("deny", "Refuse a request that was not redeemed yet.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_request);
        Add(_reason);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var connection = _broker.ConnectAsPerson(parsed);
        var approval = await new AdminClient(connection).DenyApprovalAsync(
            parsed.GetRequiredValue(_request),
            new() { Reason = parsed.GetRequiredValue(_reason) },
            cancellationToken
        );
        return ApprovalReport.Write(_terminal, OutputOption.Of(parsed, _terminal), approval);
    }
}
