using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Leases;

/// <summary><c>credbroker leases list</c>: who holds what.</summary>
internal sealed class LeasesListCommand : Command
{
    private const int PageSize = 500;
    private static readonly string[] Live = [LeaseStates.Pending, LeaseStates.Active, LeaseStates.Revoking, LeaseStates.Failed];

    private readonly Terminal terminal;
    private readonly BrokerOptions broker;
    private readonly SelectorOptions selector = new();
    private readonly Option<string[]> state = new("--state") { HelpName = "STATE", Description = $"{string.Join(", ", LeaseStates.All)} or all; repeat for more. Those that are not over, unless given" };
    private readonly Option<int> limit = new("--limit") { HelpName = "N", Description = "At most this many", DefaultValueFactory = _ => 100 };

    public LeasesListCommand(Terminal terminal)
        : base("list", "Who holds what now, newest first.")
    {
        (this.terminal, broker) = (terminal, new(terminal));
        state.AcceptOnlyFromAmong([.. LeaseStates.All, "all"]);
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--limit is at least 1.");
            }
        });
        selector.AddTo(this);
        Add(state);
        Add(limit);
        broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, terminal);
        using var session = broker.ConnectAsPerson(parsed);
        var list = await ReadAsync(session.Client, selector.Filter(parsed) with { States = States(parsed) }, parsed.GetValue(limit), cancellationToken);
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(list, BrokerJson.Default.LeaseListResponse));
            return ExitCodes.Done;
        }

        if (list.Leases.Count == 0)
        {
            terminal.Error.WriteLine(parsed.GetValue(state) is { Length: > 0 }
                ? "No lease matches."
                : "No live lease matches. An agent gets one by \"credbroker exchange\" or \"credbroker exec\"; --state all shows those that are over.");
            return ExitCodes.Done;
        }

        LeaseTable.Write(terminal, format, list.Leases);
        if (list.Next is not null)
        {
            terminal.Error.WriteLine($"There are more than {list.Leases.Count}. Narrow them down, or raise --limit.");
        }

        return ExitCodes.Done;
    }

    private string[] States(ParseResult parsed) => parsed.GetValue(state) switch
    {
        null or [] => Live,
        var wanted when wanted.Contains("all") => [],
        var wanted => wanted,
    };

    private static async Task<LeaseListResponse> ReadAsync(BrokerClient client, LeaseFilter filter, int limit, CancellationToken cancellationToken)
    {
        List<LeaseResponse> leases = [];
        string? next = null;
        do
        {
            var page = await client.ListLeasesAsync(filter with { Cursor = next, Limit = Math.Min(PageSize, limit - leases.Count) }, cancellationToken);
            leases.AddRange(page.Leases);
            next = page.Next;
        }
        while (next is not null && leases.Count < limit);
        return new() { Leases = leases, Next = next };
    }
}
