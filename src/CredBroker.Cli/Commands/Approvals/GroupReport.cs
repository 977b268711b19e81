using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary>Requests that are decided together: what all share above, and of each what differs.</summary>
internal static class GroupReport
{
    private const string Prefix = "grp_";

    /// <summary>Whether an id is a group's, and not a request's.</summary>
    public static bool IsGroup(string id) => id.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>The group as it is now.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static async Task<ApprovalGroupResponse> FindAsync(
        AdminClient client,
        string groupId,
        CancellationToken cancellationToken
    )
    {
        var groups = (await client.ListGroupedApprovalsAsync(cancellationToken)).Groups ?? [];
        if (groups.FirstOrDefault(group => group.GroupId == groupId) is { } exact)
        {
            // Also where another's id begins with it.
            return exact;
        }

        var whole = await ShortIds.WholeAsync(
            groupId,
            "group",
            "credbroker approvals list --grouped",
            _ => ValueTask.FromResult(groups.Select(group => group.GroupId)),
            Prefix
        );
        return groups.FirstOrDefault(group => group.GroupId == whole)
            ?? throw new CliException(
                ExitCodes.Refused,
                $"No group {Printable.Text(groupId)} waits for you.",
                "List what waits: credbroker approvals list --grouped"
            );
    }

    /// <summary>The group's requests, if they are those that the person saw.</summary>
    /// <exception cref="CliException">They are others by now, or it is not said which they were.</exception>
    public static IReadOnlyList<ApprovalReference> Seen(ApprovalGroupResponse group, string? digest)
    {
        if (digest is null)
        {
            throw CliException.Usage(
                "A group is decided by its digest.",
                $"Look at it: credbroker approvals show {group.GroupId}; then add --digest HEX."
            );
        }

        return group.Digest == digest
            ? [.. group.Requests.Select(request => new ApprovalReference(request.ApprovalId, request.Digest))]
            : throw new CliException(
                ExitCodes.Refused,
                "The group is not the one that you saw: a request has come or gone. Nothing was decided.",
                $"Look at it again: credbroker approvals show {group.GroupId}"
            );
    }

    /// <summary>The card.</summary>
    public static int Write(Terminal terminal, OutputFormat format, ApprovalGroupResponse group)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(group, BrokerJson.Default.ApprovalGroupResponse));
            return ExitCodes.Done;
        }

        var first = group.Requests[0];
        Grid.WriteFields(
            terminal,
            format,
            [
                ("Group", group.GroupId),
                ("Requests", group.Requests.Count.ToString(CultureInfo.InvariantCulture)),
                ("Process", group.Process),
                ("Owner", group.Owner is { } owner ? $"{owner.Subject} of {owner.Issuer}" : "nobody"),
                ("Credential", $"{group.Credential} ({group.Access}, impact {group.Impact})"),
                ("Revoking reaches", group.Revocation),
                .. (group.Params ?? new Dictionary<string, string>()).Select(param =>
                    ($"Parameter {Printable.Text(param.Key)}", (string?)Printable.Text(param.Value))
                ),
                ("Rules", string.Join(", ", group.Rules)),
                (
                    "Gate",
                    string.Join(", ", group.Gate.Where(condition => !condition.Holds).Select(c => $"not {c.Name}"))
                ),
                .. group.Demands.Select(demand => ("May agree", (string?)DemandText.People(demand, terminal.Time))),
                ("Left to", group.Executor),
                ("The agents say: tool", Said(group.Tool)),
                .. Fields(group)
                    .Where(field => !group.Differs.Contains(field.Name, StringComparer.Ordinal))
                    .Select(field => (field.Label, (string?)field.Of(first))),
                ("Digest", group.Digest),
            ]
        );
        var differing = Fields(group)
            .Where(field => group.Differs.Contains(field.Name, StringComparer.Ordinal))
            .ToList();
        terminal.Out.WriteLine();
        Grid.Write(
            terminal,
            format,
            [Column.Id("Request"), .. differing.Select(field => (Column)field.Label), "Agreed", "Ends"],
            [
                .. group.Requests.Select(request =>
                    (string[])
                        [
                            request.ApprovalId,
                            .. differing.Select(field => field.Of(request)),
                            string.Join(", ", request.Agreements.Select(agreed => Printable.Text(agreed.Subject))),
                            TimeText.Short(request.ExpiresAt, format, terminal.Time),
                        ]
                ),
            ]
        );
        return ExitCodes.Done;
    }

    /// <summary>What became of each.</summary>
    public static int Write(Terminal terminal, OutputFormat format, ApprovalGroupDecisionResponse decided)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(decided, BrokerJson.Default.ApprovalGroupDecisionResponse));
            return ExitCodes.Done;
        }

        Grid.Write(
            terminal,
            format,
            [Column.Id("Request"), "State", "Task"],
            [.. decided.Approvals.Select(approval => (string[])[approval.ApprovalId, approval.State, approval.Task])]
        );
        return ExitCodes.Done;
    }

    // In the words of ApprovalReport; what the agent says is marked as that.
    private static List<(string Name, string Label, Func<GroupedApprovalResponse, string> Of)> Fields(
        ApprovalGroupResponse group
    ) =>
        [
            ("requester", "Agent", request => request.Requester.Agent ?? ""),
            ("requester", "Subject", request => $"{request.Requester.Subject} of {request.Requester.Issuer}"),
            ("requester", "Instance", request => request.Requester.Instance ?? ""),
            ("task", "Task", request => request.Task),
            ("actions", "Actions", request => string.Join(", ", request.Actions)),
            ("ttl", "Lives", request => WireDuration.Format(request.Ttl)),
            ("purpose", "The agent says: purpose", request => Printable.Text(request.Statements.Purpose)),
            ("resource", "The agent says: resource", request => Said(request.Statements.Resource)),
            .. group
                .Requests[0]
                .Statements.Arguments.Select(
                    (shown, place) =>
                        (
                            "arguments",
                            $"The agent says: {Printable.Text(shown.Label)}",
                            (Func<GroupedApprovalResponse, string>)(
                                request => ApprovalReport.Value(request.Statements.Arguments[place])
                            )
                        )
                ),
        ];

    private static string Said(string? text) => text is null ? "" : Printable.Text(text);
}
