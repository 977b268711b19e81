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
    private static readonly string[] Live =
    [
        LeaseStates.Pending,
        LeaseStates.Active,
        LeaseStates.Revoking,
        LeaseStates.Failed,
    ];

    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly SelectorOptions _selector = new();
    private readonly Option<string[]> _state = new("--state")
    {
        HelpName = "STATE",
        Description =
            $"{string.Join(", ", LeaseStates.All)} or all; repeat for more. Those that are not over, unless given",
    };
    private readonly Option<int> _limit = new("--limit")
    {
        HelpName = "N",
        Description = "At most this many",
        DefaultValueFactory = _ => 100,
    };

    public LeasesListCommand(Terminal terminal)
        : base("list", "Who holds what now, newest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _state.AcceptOnlyFromAmong([.. LeaseStates.All, "all"]);
        _limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--limit is at least 1.");
            }
        });
        _selector.AddTo(this);
        Add(_state);
        Add(_limit);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var list = await ReadAsync(
            new AdminClient(connection),
            _selector.Apply(parsed, new LeaseFilter { States = States(parsed) }),
            parsed.GetValue(_limit),
            cancellationToken
        );
        if (format == OutputFormat.Json)
        {
            _terminal.Out.WriteLine(JsonSerializer.Serialize(list, BrokerJson.Default.LeaseListResponse));
            return ExitCodes.Done;
        }

        if (list.Leases.Count == 0)
        {
            _terminal.Error.WriteLine(
                parsed.GetValue(_state) is { Length: > 0 }
                    ? "No lease matches."
                    : "No live lease matches. An agent gets one by \"credbroker exchange\" or \"credbroker exec\"; "
                        + "--state all shows those that are over."
            );
            return ExitCodes.Done;
        }

        LeaseTable.Write(_terminal, format, list.Leases);
        if (list.Next is not null)
        {
            _terminal.Error.WriteLine($"There are more than {list.Leases.Count}. Narrow them down, or raise --limit.");
        }

        return ExitCodes.Done;
    }

    private string[] States(ParseResult parsed) =>
        parsed.GetValue(_state) switch
        {
            null or [] => Live,
            var wanted when wanted.Contains("all") => [],
            var wanted => wanted,
        };

    private static async Task<LeaseListResponse> ReadAsync(
        AdminClient client,
        LeaseFilter filter,
        int limit,
        CancellationToken cancellationToken
    )
    {
        List<LeaseResponse> leases = [];
        string? next = null;
        do
        {
            var page = await client.ListLeasesAsync(
                filter with
                {
                    Cursor = next,
                    Limit = Math.Min(PageSize, limit - leases.Count),
                },
                cancellationToken
            );
            leases.AddRange(page.Leases);
            next = page.Next;
        } while (next is not null && leases.Count < limit);
        return new() { Leases = leases, Next = next };
    }
}
