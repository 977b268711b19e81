using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>The page of what <c>--output json</c> prints: one example under the heading of each command.</summary>
internal static partial class JsonPage
{
    /// <summary>Each command's example, as the page has it.</summary>
    public static IReadOnlyList<(string Command, JsonElement Example)> Examples { get; } =
    [
        .. Section
            .Matches(File.ReadAllText(Path.Combine(Repository.Root, ".github", "docs", "cli-json.md")))
            .Select(section => (section.Groups["command"].Value, JsonElement.Parse(section.Groups["example"].Value))),
    ];

    /// <summary>The command's example has the very names that it printed: none more, none less, each in its place.</summary>
    public static JsonElement Holds(string command, CliRun run)
    {
        Assert.True(run.Out.Length > 0, $"{command} printed nothing: {run.Error}");
        var printed = JsonElement.Parse(run.Out);
        var example = Examples.SingleOrDefault(example => example.Command == command).Example;
        Assert.True(
            example.ValueKind != JsonValueKind.Undefined && Names(example).SetEquals(Names(printed)),
            $"The page has other names for {command} than it prints: {run.Out}"
        );
        return printed;
    }

    /// <summary>Objects whose names are data, as of which states there are leases: the page says so of each.</summary>
    private static readonly string[] Maps = [".counts", ".rows", ".liveLeases", ".secret.data", ".token.claims"];

    /// <summary>Every name with the names above it: <c>leases[].leaseId</c>.</summary>
    public static HashSet<string> Names(JsonElement element)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        Collect(element, "");
        return names;

        void Collect(JsonElement value, string path)
        {
            names.Add(path);
            if (value.ValueKind == JsonValueKind.Object && !Maps.Contains(path))
            {
                foreach (var member in value.EnumerateObject())
                {
                    Collect(member.Value, $"{path}.{member.Name}");
                }
            }
            else if (value.ValueKind == JsonValueKind.Array)
            {
                foreach (var item in value.EnumerateArray())
                {
                    Collect(item, path + "[]");
                }
            }
        }
    }

    [GeneratedRegex(
        @"^### `credbroker (?<command>[a-z -]+)`\n(?:(?!^### )[^\n]*\n)*?```json\n(?<example>.*?)^```",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Section { get; }
}
