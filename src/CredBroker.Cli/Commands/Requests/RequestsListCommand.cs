using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Requests;

/// <summary><c>credbroker requests list</c>: what an executor may redeem now.</summary>
internal sealed class RequestsListCommand : Command
{
    private const int LongestPage = 50;

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;

    private readonly Watch _watch = new();

    public RequestsListCommand(Terminal terminal)
        : base("list", "The approved requests that this workload alone may redeem, oldest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _watch.AddTo(this);
        _broker.AddForAgents(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    /// <summary>All pages, one after another.</summary>
    public static async Task<IReadOnlyList<ExecutorRequestResponse>> ReadAsync(
        AgentClient agent,
        CancellationToken cancellationToken
    )
    {
        var found = new List<ExecutorRequestResponse>();
        string? next = null;
        do
        {
            var page = await agent.ListRequestsAsync(next, LongestPage, cancellationToken);
            found.AddRange(page.Requests);
            next = page.Next;
        } while (next is not null);

        return found;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsAgent(parsed);
        var agent = new AgentClient(connection);
        return await _watch.RunAsync(
            parsed,
            _terminal,
            async shown => Write(await ReadAsync(agent, cancellationToken), format, shown),
            cancellationToken
        );
    }

    private static int Write(IReadOnlyList<ExecutorRequestResponse> found, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(
                JsonSerializer.Serialize(new() { Requests = found }, BrokerJson.Default.ExecutorRequestListResponse)
            );
            return ExitCodes.Done;
        }

        if (found.Count == 0)
        {
            terminal.Error.WriteLine(
                "Nothing approved waits for this workload. What a rule leaves to it as the executor stands here once "
                    + "people have approved it."
            );
            return ExitCodes.Done;
        }

        Grid.Write(
            terminal,
            format,
            [Column.Id("Request"), "Prepared by", "Credential", "Process", "Purpose", "For", "Ends"],
            [
                .. found.Select(request =>
                    new[]
                    {
                        request.Approval.ApprovalId,
                        Printable.Text(request.Approval.Requester.Agent ?? request.Approval.Requester.Subject),
                        Printable.Text(request.Approval.Credential),
                        Printable.Text(request.Approval.Process),
                        Printable.Text(request.Approval.Statements.Purpose),
                        WireDuration.Format(request.Approval.Ttl),
                        TimeText.Short(request.Approval.ExpiresAt, format, terminal.Time),
                    }
                ),
            ]
        );
        return ExitCodes.Done;
    }
}
