using System.Text.RegularExpressions;
using CredBroker.IntegrationTests.Cli;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Readme;

/// <summary>What README.md names within its sentences: commands, options, files.</summary>
public sealed partial class ReadmeWordsTests
{
    private static readonly Dictionary<string, string> Nothing = [];

    [Fact]
    public async Task A_command_that_it_names_exists_with_those_options()
    {
        var named = ReadmeText
            .InlineCode.Where(code => code.StartsWith("credbroker ", StringComparison.Ordinal))
            .ToList();

        Assert.NotEmpty(named);
        foreach (var code in named)
        {
            var words = code.Split(' ');
            string[] path = [.. words.TakeWhile(word => !word.StartsWith('-') && !IsPlaceholder(word))];
            var help = await CliRun.RunAsync(Nothing, [.. path[1..], "--help"]);

            Assert.Contains(
                $" {string.Join(' ', path[1..])} [",
                help.Out.Replace("<", "[", StringComparison.Ordinal),
                StringComparison.Ordinal
            );
            Assert.All(
                words.Where(word => word.StartsWith("--", StringComparison.Ordinal)),
                option => Assert.Matches($@"(?m)^\s+{option}\b", help.Out)
            );
        }
    }

    [Fact]
    public async Task An_option_that_it_names_alone_is_one_of_some_program()
    {
        var server = await ChildProcess.RunAsync(
            "dotnet",
            Path.Combine(AppContext.BaseDirectory, "CredBroker.Server.dll"),
            "--help"
        );
        var quickstart = await ChildProcess.RunAsync(
            "dotnet",
            Path.Combine(AppContext.BaseDirectory, "Quickstart.dll"),
            "--help"
        );
        var setup = (await CliRun.RunAsync(Nothing, "vault", "setup", "--help")).Out;
        var harness = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, "tests", "CredBroker.FaultHarness", "HarnessOptions.cs")
        );
        var known = Option()
            .Matches(server + quickstart + setup + harness.Replace('"', ' '))
            .Select(option => option.Value)
            .ToHashSet();

        Assert.All(
            ReadmeText
                .InlineCode.Where(code => !code.StartsWith("credbroker ", StringComparison.Ordinal))
                .SelectMany(code => Option().Matches(code).Select(option => option.Value))
                .Where(option => option != "--project"),
            option => Assert.Contains(option, known)
        );
    }

    [Fact]
    public void A_file_or_project_that_it_names_is_there()
    {
        var inCode = ReadmeText
            .InlineCode.Concat(ReadmeText.ShellLines)
            .SelectMany(code => PathInCode().Matches(code).Select(path => path.Value));

        Assert.All(
            inCode.Concat(ReadmeText.LinkedFiles).Distinct(),
            path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), $"There is no {path}.")
        );
    }

    private static bool IsPlaceholder(string word) => word.All(character => !char.IsAsciiLetterLower(character));

    [GeneratedRegex("(?<![^ ])--[a-z][a-z-]+")]
    private static partial Regex Option();

    [GeneratedRegex(@"(?<![^ ])(?:src|tests|samples|\.github)(?:/[A-Za-z0-9_./-]+)?(?![^ ])")]
    private static partial Regex PathInCode();
}
