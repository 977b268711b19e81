using CredBroker.Cli.Output;
using CredBroker.Client;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>What a document would end, as rows and a sum.</summary>
internal static class PolicyPreviewTable
{
    public static void Write(Terminal terminal, OutputFormat format, PolicyPreviewResponse preview)
    {
        foreach (var fault in preview.Faults ?? [])
        {
            terminal.Error.WriteLine(Printable.Text(fault));
        }

        if (preview.Faults is not null)
        {
            terminal.Error.WriteLine("It would be refused, and the version in force would stay.");
            return;
        }

        Grid.Write(
            terminal,
            format,
            [Column.Id("Id"), "Agent", "Process", "Credential", "What", "Why"],
            [
                .. preview.Ended.Select(lease => Row(lease, "lease ends", lease.Rule ?? "")),
                .. preview.Shortened.Select(lease =>
                    Row(lease, "lease ends earlier", lease.EndsAt is { } end ? TimeText.Rfc3339(end) : "")
                ),
                .. (preview.Unreadable ?? []).Select(id =>
                    new[] { id, "", "", "", "lease ends", "its record is damaged" }
                ),
                .. preview.Voided.Select(Row),
                .. preview.EndedTimeBoxes.Select(Row),
            ]
        );
        terminal.Error.WriteLine(Sum(preview));
    }

    /// <summary>The same in one sentence.</summary>
    public static string Sum(PolicyPreviewResponse preview) =>
        $"Of {preview.Live} live leases {preview.EndedCount} would end and {preview.ShortenedCount} would end earlier, and of "
        + $"{preview.OpenApprovals} open requests to people {preview.Voided.Count} would be taken back, and of "
        + $"{preview.OpenTimeBoxes} time boxes {preview.EndedTimeBoxesCount} would end, compared with "
        + $"version {preview.PolicyVersion}.";

    private static string[] Row(PolicyPreviewLease lease, string what, string why) =>
        [lease.LeaseId, lease.Agent, lease.Process, lease.Credential, what, why];

    private static string[] Row(PolicyPreviewApproval approval) =>
        [
            approval.ApprovalId,
            approval.Agent,
            approval.Process,
            approval.Credential,
            $"{approval.State} request is taken back",
            Why(approval.Effect, approval.Rule),
        ];

    private static string[] Row(PolicyPreviewTimeBox timeBox) =>
        [
            timeBox.ApprovalId,
            timeBox.Agent,
            timeBox.Process,
            timeBox.Credential,
            "time box ends",
            Why(timeBox.Effect, timeBox.Rule),
        ];

    private static string Why(string effect, string rule) =>
        effect == "challenge" ? $"{rule} asks otherwise" : $"{effect} by {rule}";
}
