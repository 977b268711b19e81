using System.Text.Json.Serialization;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>What <c>policy test</c> found.</summary>
internal sealed record PolicyTestReport(IReadOnlyList<PolicyTestFileOutput> Files)
{
    /// <summary>Tests whose decision is as expected.</summary>
    public int Passed => Files.Sum(file => file.Tests.Count(test => test.Passed));

    /// <summary>Tests whose decision is another.</summary>
    public int Failed => Files.Sum(file => file.Tests.Count(test => !test.Passed));

    /// <summary>Files that could not be run, because they or their policy have faults.</summary>
    public int Faulty => Files.Count(file => file.Faults.Count > 0);

    /// <summary>Whether every test ran and passed.</summary>
    [JsonIgnore]
    public bool IsGood => Failed == 0 && Faulty == 0;
}

/// <summary>One file of tests.</summary>
/// <param name="File">Its path, as it was named.</param>
/// <param name="Policy">The policy document's; null where it is not known.</param>
/// <param name="PolicyHash">SHA-256 of the policy that decided; null where none did.</param>
/// <param name="Faults">What keeps the tests from running.</param>
/// <param name="Tests">The tests that ran: all of the file, or none.</param>
internal sealed record PolicyTestFileOutput(
    string File,
    string? Policy,
    string? PolicyHash,
    IReadOnlyList<PolicyTestFault> Faults,
    IReadOnlyList<PolicyTestOutput> Tests
);

/// <summary>A fault of the file of tests, or of the policy.</summary>
internal sealed record PolicyTestFault(string File, int Line, int Column, string Message)
{
    public override string ToString() => $"{File}:{(Line == 0 ? "" : $"{Line}:{Column}:")} {Message}";
}

/// <summary>A test that ran, and the decision that it got.</summary>
internal sealed record PolicyTestOutput(
    string Name,
    int Line,
    int Column,
    string Effect,
    string? Rule,
    string? Code,
    string? Ttl,
    string? Explanation,
    IReadOnlyList<PolicyTestDifference> Differences
)
{
    public bool Passed => Differences.Count == 0;
}

/// <summary>A part of the decision that is not as expected; null where there is none, or none was named.</summary>
internal sealed record PolicyTestDifference(string What, string? Expected, string? Actual)
{
    public override string ToString() => $"{What} is {Actual ?? "none"}, expected {Expected ?? "none"}";
}
