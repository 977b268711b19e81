using System.Text.Json;
using CredBroker.Cli.Output;
using CredBroker.Vault.Setup;

namespace CredBroker.Cli.Commands.Vault;

/// <summary>How Vault stands to a plan, and what becomes of it, as people and programs read it.</summary>
internal sealed class SetupOutput(Terminal terminal, OutputFormat output)
{
    /// <summary>Each difference below its path, line by line.</summary>
    public static void WriteDifferences(TextWriter writer, SetupReport report)
    {
        foreach (
            var finding in report.Findings.Where(finding =>
                finding is { State: SetupState.Outdated or SetupState.Differs, Details.Count: > 0 }
            )
        )
        {
            writer.WriteLine(
                $"{finding.Step.Path} ({(finding.State == SetupState.Outdated ? "is changed by --apply" : "is left as it is")})"
            );
            foreach (var line in finding.Details)
            {
                writer.WriteLine($"  {Printable.Text(line)}");
            }

            writer.WriteLine();
        }
    }

    public void Write(SetupReport report, SetupPlan plan, SetupLeftOver leftOver, bool isApplied = false)
    {
        if (output == OutputFormat.Json)
        {
            terminal.Out.WriteLine(
                JsonSerializer.Serialize(
                    [
                        .. report.Findings.Select(finding => new SetupFindingOutput(
                            Word(finding.State),
                            Word(finding.Step.Kind),
                            finding.Step.Path,
                            finding.Details
                        )),
                        .. leftOver.Paths.Select(path => new SetupFindingOutput("left-over", "own", path, [])),
                    ],
                    CliJson.Default.SetupFindingOutputArray
                )
            );
        }
        else
        {
            WriteGrid(report);
            if (!isApplied)
            {
                terminal.Out.WriteLine();
                WriteDifferences(terminal.Out, report);
            }

            foreach (var note in plan.Notes)
            {
                terminal.Error.WriteLine($"Note: {Printable.Text(note)}");
            }
        }

        foreach (var path in leftOver.Paths)
        {
            terminal.Error.WriteLine(
                $"Left over: {Printable.Text(path)} is in no entry of the catalogue. Setup deletes nothing; once none of its "
                    + $"leases lives: bao delete {Printable.Text(path)}"
            );
        }

        foreach (var place in leftOver.NotSearched)
        {
            terminal.Error.WriteLine($"Not searched for what is left over: {Printable.Text(place)}");
        }

        foreach (var fault in report.FileFaults)
        {
            terminal.Error.WriteLine(Printable.Text(fault));
        }

        if (output != OutputFormat.Json)
        {
            terminal.Error.WriteLine(Summary(report, plan.Steps.Count, isApplied));
        }
    }

    private void WriteGrid(SetupReport report) =>
        Grid.Write(
            terminal,
            output,
            ["Path", "What", "State"],
            [
                .. report.Findings.Select(finding =>
                    new[]
                    {
                        finding.Step.Path,
                        Word(finding.Step.Kind).Replace('-', ' '),
                        finding is { State: SetupState.Failed, Details.Count: > 0 }
                            ? $"{Word(finding.State)}: {string.Join("; ", finding.Details)}"
                            : Word(finding.State),
                    }
                ),
            ]
        );

    private static string Summary(SetupReport report, int steps, bool isApplied)
    {
        int Count(SetupState state) => report.Findings.Count(finding => finding.State == state);
        return report switch
        {
            { FileFaults.Count: > 0 } when isApplied =>
                "Nothing was made: first put the files right that are named above.",
            { IsUnchanged: true } => "Vault holds everything that the catalogue needs.",
            { IsComplete: true } => $"Done: {Count(SetupState.Made)} made, {Count(SetupState.Updated)} updated, "
                + $"{Count(SetupState.Present)} were there.",
            _ when isApplied && Count(SetupState.Missing) + Count(SetupState.Outdated) > 0 =>
                $"Nothing was made: {Count(SetupState.Failed)} could not be read.",
            _ when Count(SetupState.Failed) > 0 && report.Findings.Count < steps =>
                $"Stopped: the last step failed, {steps - report.Findings.Count} were not tried. "
                    + "What is made stays; run it again.",
            _ => $"Not complete: {Count(SetupState.Missing)} missing (--apply makes them), "
                + $"{Count(SetupState.Outdated)} outdated (--apply changes them), {Count(SetupState.Differs)} differ and are not "
                + $"setup's to change (do it yourself), {Count(SetupState.Failed)} failed.",
        };
    }

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());
}
