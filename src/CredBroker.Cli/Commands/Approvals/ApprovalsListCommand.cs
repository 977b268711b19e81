using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Connection;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary><c>credbroker approvals list</c>: what the caller may decide now.</summary>
internal sealed class ApprovalsListCommand : Command
{
    private readonly Terminal _terminal;
    private readonly BrokerOptions _broker;
    private readonly Option<bool> _grouped = new("--grouped")
    {
        Description = "Those that may be decided together as groups",
    };

    private readonly Watch _watch = new();

    public ApprovalsListCommand(Terminal terminal)
        : base("list", "The open requests that you may decide, oldest first.")
    {
        (_terminal, _broker) = (terminal, new(terminal));
        Add(_grouped);
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
        return await _watch.RunAsync(
            parsed,
            _terminal,
            async shown =>
                Write(
                    parsed.GetValue(_grouped)
                        ? await client.ListGroupedApprovalsAsync(cancellationToken)
                        : await client.ListApprovalsAsync(cancellationToken),
                    format,
                    shown
                ),
            cancellationToken
        );
    }

    private static int Write(ApprovalListResponse open, OutputFormat format, Terminal terminal)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(open, BrokerJson.Default.ApprovalListResponse));
            return ExitCodes.Done;
        }

        if (open.You is { Decisions: > 0, MedianSeconds: { } median } you)
        {
            terminal.Error.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{you.Waiting} wait for you. Half of your last {you.Decisions} decisions took {median:0.#} s or less{(you.Hurried ? ": less than reading takes, and on record" : "")}."
                )
            );
        }

        if (open.Groups is { Count: > 0 } groups)
        {
            WriteGroups(groups, format, terminal);
            if (open.Approvals.Count == 0)
            {
                return ExitCodes.Done;
            }

            terminal.Out.WriteLine();
        }

        if (open.Approvals.Count == 0)
        {
            terminal.Error.WriteLine(
                "Nothing waits for you. What a rule of the policy challenges stands here while it waits for you, "
                    + "your role or a group of yours."
            );
            return ExitCodes.Done;
        }

        // Where no rule asks more people later, nobody has to read that.
        var escalate = open.Approvals.Any(approval => EscalatesAt(approval) is not null);
        Grid.Write(
            terminal,
            format,
            [
                Column.Id("Request"),
                "Agent",
                "Credential",
                new Column("Process", 100),
                new Column("For", 90),
                "Ends",
                .. escalate ? [new Column("More asked", 110)] : (Column[])[],
            ],
            [
                .. open.Approvals.Select(approval =>
                    (string[])
                        [
                            approval.ApprovalId,
                            approval.Requester.Agent ?? approval.Requester.Subject,
                            approval.Credential,
                            approval.Process,
                            WireDuration.Format(approval.Ttl),
                            TimeText.Short(approval.ExpiresAt, format, terminal.Time),
                            .. escalate ? [TimeText.Short(EscalatesAt(approval), format, terminal.Time)] : (string[])[],
                        ]
                ),
            ]
        );
        return ExitCodes.Done;
    }

    private static void WriteGroups(
        IReadOnlyList<ApprovalGroupResponse> groups,
        OutputFormat format,
        Terminal terminal
    ) =>
        Grid.Write(
            terminal,
            format,
            [Column.Id("Group"), "Requests", "Credential", "Process", "Differ in", "First ends"],
            [
                .. groups.Select(group =>
                    (string[])
                        [
                            group.GroupId,
                            group.Requests.Count.ToString(CultureInfo.InvariantCulture),
                            group.Credential,
                            group.Process,
                            string.Join(", ", group.Differs),
                            TimeText.Short(group.Requests.Min(request => request.ExpiresAt), format, terminal.Time),
                        ]
                ),
            ]
        );

    private static DateTimeOffset? EscalatesAt(ApprovalResponse approval) =>
        approval.Demands.Select(demand => demand.Escalation?.At).Min();
}
