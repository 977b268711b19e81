using System.Text.RegularExpressions;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Readme;

/// <summary>What README.md asks its readers to paste, and what else it names in code.</summary>
internal static partial class ReadmeText
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    /// <summary>The lines of all shell blocks in order, each with the lines that it goes on in.</summary>
    public static IReadOnlyList<string> ShellLines { get; } =
    [
        .. ShellBlock()
            .Matches(Text)
            .SelectMany(block => Joined(block.Groups[1].Value.Split('\n').Select(line => line.Trim()))),
    ];

    /// <summary>What stands in backticks within a sentence.</summary>
    public static IReadOnlyList<string> InlineCode { get; } =
    [.. InlineSpan().Matches(AnyBlock().Replace(Text, "")).Select(span => span.Groups[1].Value).Distinct()];

    /// <summary>Files and folders of this repository that it links to.</summary>
    public static IReadOnlyList<string> LinkedFiles { get; } =
    [
        .. Link()
            .Matches(Text)
            .Select(link => link.Groups[1].Value)
            .Where(target => !target.Contains("://", StringComparison.Ordinal)),
    ];

    /// <summary>Lines as a shell reads them: one that ends in a backslash goes on in the next.</summary>
    public static IReadOnlyList<string> Joined(IEnumerable<string> lines) =>
        string.Join('\n', lines.Where(line => line.Length > 0))
            .Replace("\\\n", "", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"^ *```bash\n(.*?)^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ShellBlock();

    [GeneratedRegex(@"^ *```.*?^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex AnyBlock();

    [GeneratedRegex(@"`([^`\n]+)`")]
    private static partial Regex InlineSpan();

    [GeneratedRegex(@"\]\(([^)#]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();
}
