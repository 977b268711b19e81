using System.Text.Json;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>The policies that people start from do what their tests say, and their tests say something of every rule.</summary>
public sealed class SamplePoliciesTests : IDisposable
{
    private static readonly string Samples = Path.Combine(Repository.Root, "samples", "policies");

    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-samples-").FullName;

    public static TheoryData<string> Policies =>
        [
            .. Directory
                .EnumerateFiles(Samples, "*.yaml")
                .Select(path => Path.GetFileName(path))
                .Where(name => !name.EndsWith(".test.yaml", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Policies))]
    public async Task Its_tests_pass(string policy)
    {
        var run = await RunAsync("policy", "test", Path.Combine(Samples, TestsOf(policy)));

        Assert.True(run.ExitCode == 0, run.Out + run.Error);
        Assert.Matches("^Passed: [1-9][0-9]*, failed: 0, files with faults: 0\\.", run.Error);
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public async Task The_linter_has_nothing_to_say_that_the_policy_does_not_explain(string policy)
    {
        var run = await RunAsync("policy", "lint", Path.Combine(Samples, policy), "--output", "json");

        Assert.Equal(0, run.ExitCode);
        var findings = JsonDocument.Parse(run.Out).RootElement.EnumerateArray();
        var messages = findings.Select(finding => finding.GetProperty("message").GetString()!).ToList();
        if (policy != "no-owner.yaml")
        {
            Assert.Empty(messages);
            return;
        }

        Assert.Contains("night-cleanup` has no owner", Assert.Single(messages), StringComparison.Ordinal);
        Assert.Contains(
            "`credbroker policy lint` warns of the process without an owner.",
            await File.ReadAllTextAsync(Path.Combine(Samples, policy)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public async Task Without_any_one_of_its_rules_a_test_fails(string policy)
    {
        foreach (var file in Directory.EnumerateFiles(Samples))
        {
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        }

        var lines = await File.ReadAllLinesAsync(Path.Combine(Samples, policy));
        var rules = RulesOf(lines).ToList();
        Assert.NotEmpty(rules);
        foreach (var (first, count) in rules)
        {
            // A document has at least a list of rules.
            string[] without = [.. lines.Take(first), .. lines.Skip(first + count)];
            await File.WriteAllLinesAsync(
                Path.Combine(_folder, policy),
                rules.Count > 1 ? without : [.. without.Select(line => line == "rules:" ? "rules: []" : line)]
            );
            var run = await RunAsync("policy", "test", Path.Combine(_folder, TestsOf(policy)), "-o", "json");

            var report = JsonDocument.Parse(run.Out).RootElement;
            Assert.True(report.GetProperty("faulty").GetInt32() == 0, run.Out);
            Assert.True(report.GetProperty("failed").GetInt32() > 0, $"Nothing misses {lines[first].Trim()}.");
        }
    }

    [Fact]
    public async Task The_tests_to_start_from_are_those_of_the_policy_to_start_from()
    {
        File.Copy(Path.Combine(Samples, "billing.yaml"), Path.Combine(_folder, "billing.yaml"));
        var tests = Path.Combine(_folder, "billing.test.yaml");
        await File.WriteAllTextAsync(tests, (await RunAsync("policy", "test", "--example")).Out);

        Assert.StartsWith(
            "Passed: 1, failed: 0,",
            (await RunAsync("policy", "test", tests)).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_readme_names_every_policy()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Samples, "README.md"));

        Assert.All(
            Directory.EnumerateFiles(Samples, "*.yaml").Select(path => Path.GetFileName(path)),
            name => Assert.Contains($"({name})", readme, StringComparison.Ordinal)
        );
    }

    /// <summary>Where each rule stands that decides something.</summary>
    private static IEnumerable<(int First, int Count)> RulesOf(string[] lines)
    {
        var at = Array.IndexOf(lines, "rules:") + 1;
        for (; at < lines.Length && (lines[at].Length == 0 || lines[at][0] == ' '); at++)
        {
            if (!lines[at].StartsWith("  - id: ", StringComparison.Ordinal))
            {
                continue;
            }

            var count =
                1 + lines.Skip(at + 1).TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal)).Count();
            if (!lines.Skip(at).Take(count).Contains("    enforcement: shadow"))
            {
                yield return (at, count);
            }
        }
    }

    private static string TestsOf(string policy) => $"{Path.GetFileNameWithoutExtension(policy)}.test.yaml";

    private static Task<CliRun> RunAsync(params string[] args) =>
        CliRun.RunAsync(new Dictionary<string, string>(), args);
}
