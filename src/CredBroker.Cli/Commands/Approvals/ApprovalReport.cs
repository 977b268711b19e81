using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary>One request as an approver sees it: what the agent says is marked as that.</summary>
internal static class ApprovalReport
{
    public static Argument<string> Argument() =>
        new("REQUEST")
        {
            Description = "The request's id or a group's, or how it begins",
            Validators = { KnownIds.Check },
        };

    public static int Write(Terminal terminal, OutputFormat format, ApprovalResponse approval)
    {
        if (format == OutputFormat.Json)
        {
            terminal.Out.WriteLine(JsonSerializer.Serialize(approval, BrokerJson.Default.ApprovalResponse));
            return ExitCodes.Done;
        }

        Grid.WriteFields(
            terminal,
            format,
            [
                ("Request", approval.ApprovalId),
                ("State", approval.State),
                (
                    "Asked by",
                    $"{approval.Requester.Agent}: {approval.Requester.Subject} of {approval.Requester.Issuer}"
                ),
                ("Instance", approval.Requester.Instance),
                ("Process", approval.Process),
                ("Owner", approval.Owner is { } owner ? $"{owner.Subject} of {owner.Issuer}" : "nobody"),
                ("Task", approval.Task),
                ("Credential", $"{approval.Credential} ({approval.Access}, impact {approval.Impact})"),
                ("Undone", approval.Reversible ? "can be" : "cannot be"),
                ("Revoking reaches", approval.Revocation),
                ("Actions", string.Join(", ", approval.Actions)),
                ("Lives", WireDuration.Format(approval.Ttl)),
                ("Time box", TimeBox(approval)),
                ("Asked for by", WhatAsks(approval)),
                (
                    "Gate",
                    string.Join(", ", approval.Gate.Where(condition => !condition.Holds).Select(c => $"not {c.Name}"))
                        is { Length: > 0 } failed
                        ? failed
                        : null
                ),
                .. approval.Demands.Select(demand => ("May agree", (string?)DemandText.People(demand, terminal.Time))),
                ("Left to", approval.Executor),
                (
                    "Agreed",
                    approval.Agreements.Count == 0 ? null : string.Join(", ", approval.Agreements.Select(Agreed))
                ),
                .. (approval.Params ?? new Dictionary<string, string>()).Select(param =>
                    ($"Parameter {Printable.Text(param.Key)}", (string?)Printable.Text(param.Value))
                ),
                ("The agent says: purpose", Printable.Text(approval.Statements.Purpose)),
                ("The agent says: resource", Said(approval.Statements.Resource)),
                ("The agent says: tool", Said(approval.Statements.Tool)),
                .. approval.Statements.Arguments.Select(shown =>
                    ($"The agent says: {Printable.Text(shown.Label)}", (string?)Value(shown))
                ),
                .. Activity(approval.Activity, format, terminal),
                ("Reason", Said(approval.Reason)),
                ("Lease", approval.LeaseId),
                ("Ends", TimeText.Full(approval.ExpiresAt, format, terminal.Time)),
                ("Digest", approval.Digest),
            ]
        );
        return ExitCodes.Done;
    }

    private static string? TimeBox(ApprovalResponse approval) =>
        approval.TimeBoxOffered is { } most
            ? $"may be given for up to {WireDuration.Format(most)}; then "
                + $"{(approval.Executor is { } executor ? $"the agent {executor}" : "this agent")} may, without asking again, "
                + $"have {approval.Credential} for {string.Join(" and ", approval.Actions)} in the same task, for "
                + $"{WireDuration.Format(approval.Ttl)} at most each time and for any purpose"
            : null;

    private static string Agreed(ApprovalAgreementResponse agreed) =>
        agreed.TimeBox is { } timeBox
            ? $"{agreed.Subject} of {agreed.Issuer} (time box {WireDuration.Format(timeBox)})"
            : $"{agreed.Subject} of {agreed.Issuer}";

    /// <summary>Rules and limits; where neither does, the gate.</summary>
    private static string WhatAsks(ApprovalResponse approval)
    {
        string[] all = [.. approval.Rules, .. approval.Demands.Select(demand => demand.LimitSays).OfType<string>()];
        return all.Length == 0 ? "the autonomy gate" : string.Join(", ", all);
    }

    private static IEnumerable<(string, string?)> Activity(
        RecentActivityResponse? activity,
        OutputFormat format,
        Terminal terminal
    ) =>
        activity is null
            ? []
            :
            [
                ("Its instance since", TimeText.Full(activity.Since, format, terminal.Time)),
                .. activity.Credentials.Select(had =>
                    (
                        $"  {had.Credential ?? "(unknown credentials)"}",
                        (string?)
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{had.Issued} issued, {had.Denied} denied, {had.Challenged} challenged"
                            )
                    )
                ),
            ];

    public static string Value(ApprovalShownResponse shown) =>
        (shown.Kind, shown.Cut) switch
        {
            ("absent", _) => "(none)",
            ("digest", _) => $"sha256 {shown.Digest}",
            (_, true) => $"{Printable.Text(shown.Text ?? "")}… (cut; sha256 {shown.Digest})",
            _ => Printable.Text(shown.Text ?? ""),
        };

    private static string? Said(string? text) => text is null ? null : Printable.Text(text);
}
