using System.Text;
using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Audit;

namespace CredBroker.Samples.Quickstart;

/// <summary>The auditor's part: what happened, as it was recorded, verified without the broker.</summary>
internal static class AuditSteps
{
    /// <summary>Exports, verifies, and shows that an altered copy does not verify.</summary>
    public static async Task PlayAsync(
        Narrator narrator,
        LocalBroker broker,
        IReadOnlyList<string> secrets,
        string payment,
        CancellationToken cancellationToken
    )
    {
        narrator.Step("An auditor exports the log and verifies it, without trusting the broker");
        var export = await ExportAsync(broker, cancellationToken);
        var types = export
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(TypeOf)
            .Where(type => !type.StartsWith("export.", StringComparison.Ordinal))
            .ToList();
        var commonest = types.CountBy(type => type).OrderByDescending(type => type.Value).Take(6);
        narrator.Say(
            $"exported {types.Count} records, {export.Length} bytes: "
                + $"{string.Join(", ", commonest.Select(type => $"{type.Value} {type.Key}"))}, ..."
        );
        narrator.Check(
            secrets.All(secret => !export.Contains(secret, StringComparison.Ordinal)),
            "no secret and no token stands in it"
        );

        var verified = await VerifyAsync(export, cancellationToken);
        narrator.Check(
            verified.Holds && verified.Records == types.Count,
            $"verified: each of {verified.Records} records names the hash of the one before it, and none is missing"
        );
        string[] joined = [.. export.Split('\n').SelectMany(line => PartIn(payment, line))];
        narrator.Check(
            joined
                is [
                    "approval.requested by payer/payer-1",
                    "approval.agreed by dev-owner",
                    "approval.redeemed by payments-executor/executor-1",
                ],
            $"one id joins who prepared the transfer, who agreed and who made it: {string.Join(", ", joined)}"
        );
        narrator.Say("what this file alone cannot prove:");
        foreach (var open in verified.NotProven)
        {
            narrator.Say($"       {open}");
        }

        narrator.Step("Somebody alters one word of the copy");
        var altered = await VerifyAsync(
            export.Replace("it behaves oddly", "it behaves neatly", StringComparison.Ordinal),
            cancellationToken
        );
        narrator.Check(
            altered is { Holds: false, Fault.Line: > 0 },
            $"it no longer verifies: line {altered.Fault?.Line}: {altered.Fault?.What}"
        );
        var lines = export.Split('\n');
        var cut = await VerifyAsync(
            string.Join('\n', lines.Where((_, index) => index != lines.Length / 2)),
            cancellationToken
        );
        narrator.Check(!cut.Holds, $"nor does a copy that lacks a line: line {cut.Fault?.Line}: {cut.Fault?.What}");
    }

    private static async Task<string> ExportAsync(LocalBroker broker, CancellationToken cancellationToken)
    {
        var export = new StringBuilder();
        await foreach (var line in broker.Person("auditor").ExportAuditAsync(new AuditExportRange(), cancellationToken))
        {
            export.Append(Encoding.UTF8.GetString(line.Bytes.Span)).Append('\n');
        }

        return export.ToString();
    }

    private static async Task<AuditVerification> VerifyAsync(string export, CancellationToken cancellationToken)
    {
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(export));
        return await AuditVerifier.VerifyAsync(file, [], cancellationToken);
    }

    /// <summary>What the record says of the approval, and who did it; nothing where it is about something else.</summary>
    private static IEnumerable<string> PartIn(string approvalId, string line)
    {
        if (!line.Contains(approvalId, StringComparison.Ordinal))
        {
            yield break;
        }

        using var record = JsonDocument.Parse(line);
        var type = record.RootElement.GetProperty("type").GetString() ?? "";
        if (type.StartsWith("approval.", StringComparison.Ordinal))
        {
            yield return $"{type} by {record.RootElement.GetProperty("actor").GetProperty("subject").GetString()}";
        }
    }

    private static string TypeOf(string line)
    {
        using var record = JsonDocument.Parse(line);
        return record.RootElement.GetProperty("type").GetString() ?? "";
    }
}
