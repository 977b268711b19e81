using System.CommandLine;
using System.Globalization;
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
        CustomParser = result =>
        {
            if (
                int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                && limit > 0
            )
            {
                return limit;
            }

            result.AddError($"--limit is a whole number, at least 1, and not {result.Tokens[0].Value}.");
            return 0;
        },
    };
    private readonly Watch _watch = new();

    public LeasesListCommand(Terminal terminal)
        : base("list", "Who holds what now, newest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        _state.AcceptOnlyFromAmong([.. LeaseStates.All, "all"]);
        _selector.AddTo(this);
        Add(_state);
        Add(_limit);
        _watch.AddTo(this);
        _broker.AddForPeople(this);
        Add(OutputOption.Create());
        SetAction(RunAsync);
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var format = OutputOption.Of(parsed, _terminal);
        using var connection = _broker.ConnectAsPerson(parsed);
        var client = new AdminClient(connection);
        var filter = _selector.Apply(parsed, new LeaseFilter { States = States(parsed) });
        return await _watch.RunAsync(
            parsed,
            _terminal,
            async shown =>
                Write(
                    await ReadAsync(client, filter, parsed.GetValue(_limit), cancellationToken),
                    parsed,
                    format,
                    shown
                ),
            cancellationToken
        );
    }

    private int Write(LeaseListResponse list, ParseResult parsed, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(list, BrokerJson.Default.LeaseListResponse));
            return ExitCodes.Done;
        }

        if (list.Leases.Count == 0)
        {
            terminal.Error.WriteLine(
                parsed.GetValue(_state) is { Length: > 0 }
                    ? "No lease matches."
                    : "No live lease matches. An agent gets one by \"credbroker exchange\" or \"credbroker exec\"; "
                        + "--state all shows those that are over."
            );
            return ExitCodes.Done;
        }

        LeaseTable.Write(terminal, format, list.Leases);
        if (list.Next is not null)
        {
            terminal.Error.WriteLine($"There are more than {list.Leases.Count}. Narrow them down, or raise --limit.");
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
