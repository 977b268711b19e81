using System.Globalization;
using System.Text.RegularExpressions;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Readme;

/// <summary>
/// Pastes lines into one bash in the repository's folder, and tells what each of them said (standard output and error
/// together) and came to.
/// </summary>
internal static partial class Shell
{
    /// <summary>Whether this machine has a program.</summary>
    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => File.Exists(Path.Combine(folder, program)));

    public static void SkipUnlessAvailable() =>
        Assert.SkipUnless(!OperatingSystem.IsWindows() && Has("bash"), "No bash on PATH.");

    /// <summary>Runs the lines of <paramref name="setup"/> unseen, then the others.</summary>
    public static async Task<IReadOnlyList<Result>> PasteAsync(IEnumerable<string> setup, IReadOnlyList<string> lines)
    {
        using var folder = new TemporaryFolder();
        var script = folder.File("lines.sh");
        await File.WriteAllLinesAsync(
            script,
            [
                "exec 2>&1",
                $"cd '{Repository.Root}'",
                .. setup,
                .. lines.SelectMany(line => new[] { "echo; echo @@begin", line, "echo \"@@exit $?\"" }),
            ]
        );
        await using var bash = ChildProcess.Start("bash", [script]);
        await bash.Process.WaitForExitAsync(TestContext.Current.CancellationToken);

        var results = Said()
            .Matches(bash.Output)
            .Select(said => new Result(
                int.Parse(said.Groups[2].Value, CultureInfo.InvariantCulture),
                said.Groups[1].Value
            ))
            .ToList();
        Assert.True(results.Count == lines.Count, bash.Output);
        return results;
    }

    [GeneratedRegex(@"@@begin\n(.*?)@@exit (\d+)", RegexOptions.Singleline)]
    private static partial Regex Said();

    internal sealed record Result(int ExitCode, string Output);
}
