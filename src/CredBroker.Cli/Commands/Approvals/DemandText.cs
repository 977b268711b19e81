using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Approvals;

/// <summary>What a challenge asks of whom, in a line.</summary>
internal static class DemandText
{
    /// <summary>Whole, as policy says it.</summary>
    public static string Of(ApprovalDemandResponse asked) =>
        People(asked, TimeProvider.System)
        + $"; for {WireDuration.Format(asked.ExpiresAfter)}"
        + (asked.Executor is { } executor ? $"; only {executor} may redeem it" : "")
        + $" ({(asked.RuleId is { } rule ? $"rule {rule}" : "autonomy gate")})";

    /// <summary>Who may agree, and from when on who else.</summary>
    public static string People(ApprovalDemandResponse asked, TimeProvider time) =>
        $"{asked.Quorum} of {Names(asked.Approvers)}"
        + (asked.NotBy.Count == 0 ? "" : $", but not {Names(asked.NotBy)}")
        + (
            asked.Escalation switch
            {
                null => "",
                { At: { } at } later when at <= time.GetUtcNow() =>
                    $"; since {TimeText.Rfc3339(at)} of {Names(later.To)}, too",
                { At: { } at } later => $"; from {TimeText.Rfc3339(at)} on of {Names(later.To)}, too",
                { } later => $"; after {WireDuration.Format(later.After)} of {Names(later.To)}, too",
            }
        );

    private static string Names(IReadOnlyList<ApproverResponse> approvers) =>
        string.Join(
            ", ",
            approvers.Select(approver =>
                approver.By == "person"
                    ? $"{Printable.Text(approver.Subject ?? "")} of {Printable.Text(approver.Issuer ?? "")}"
                    : $"{approver.By} {approver.Name}"
            )
        );
}
