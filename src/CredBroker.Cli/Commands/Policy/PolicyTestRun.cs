using System.Text.Json;
using CredBroker.Client;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Testing;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>Runs the tests of one file on its policy, decided as <c>policy evaluate</c> decides offline.</summary>
internal static class PolicyTestRun
{
    private const string Suffix = ".test.yaml";

    /// <summary>Files of tests in a folder, in the order of their names.</summary>
    public static IReadOnlyList<string> FilesIn(string folder) =>
        [.. Directory.EnumerateFiles(folder, $"*{Suffix}").Order(StringComparer.Ordinal)];

    public static async Task<PolicyTestFileOutput> RunAsync(string path, CancellationToken cancellationToken)
    {
        var text = await PolicyText.ReadAsync(path, "Name a file of policy tests.", cancellationToken);
        var (file, faults) = PolicyTestFile.Read(text.Text);
        if (file is null)
        {
            return Faulty(path, null, path, faults);
        }

        if (PolicyPath(path, file) is not { } policy)
        {
            return Faulty(path, null, path, [new(0, 0, $"add `policy: FILE`: the name does not end in {Suffix}")]);
        }

        if (await PolicyFile.ReadAsync(policy, cancellationToken) is not { } document)
        {
            return Faulty(path, policy, path, [new(0, 0, $"there is no policy {policy}: name it with `policy: FILE`")]);
        }

        var compilation = PolicyCompiler.Compile(document);
        return compilation.Set is not { } set
            ? Faulty(path, policy, policy, compilation.Faults)
            : new(path, policy, set.Hash, [], [.. file.Tests.Select(test => Run(test, set))]);
    }

    private static string? PolicyPath(string path, PolicyTestFile file)
    {
        if (file.Policy is { } named)
        {
            return Path.Combine(Path.GetDirectoryName(path) ?? "", named);
        }

        return path.EndsWith(Suffix, StringComparison.Ordinal) ? $"{path[..^Suffix.Length]}.yaml" : null;
    }

    private static PolicyTestFileOutput Faulty(
        string path,
        string? policy,
        string at,
        IEnumerable<PolicyFault> faults
    ) =>
        new(
            path,
            policy,
            null,
            [.. faults.Select(fault => new PolicyTestFault(at, fault.Line, fault.Column, fault.Message))],
            []
        );

    private static PolicyTestOutput Run(PolicyTest test, PolicySet policy)
    {
        var answer = OfflineEvaluation.Describe(policy.Evaluate(test.Identity, test.Task, test.Request));
        var owner = policy.Processes.GetValueOrDefault(test.Task.Process)?.Owner is { } person
            ? OfflineEvaluation.Describe(new Approver.Person(person.Issuer, person.Subject))
            : null;
        return new(
            test.Name,
            test.Line,
            test.Column,
            answer.Effect,
            answer.RuleId,
            answer.Code,
            answer.Ttl is { } ttl ? WireDuration.Format(ttl) : null,
            answer.Explanation,
            [.. Differences(test.Expected, answer, owner)]
        );
    }

    private static IEnumerable<PolicyTestDifference> Differences(
        PolicyExpectation expected,
        EvaluateResponse answer,
        ApproverResponse? owner
    )
    {
        var effect = JsonNamingPolicy.KebabCaseLower.ConvertName(expected.Effect.ToString());
        if (answer.Effect != effect)
        {
            yield return new("effect", effect, answer.Effect);
        }

        if (expected.Rule is { } rule && rule != answer.RuleId)
        {
            yield return new("rule", rule, answer.RuleId);
        }

        if (expected.Ttl is { } ttl && ttl != answer.Ttl)
        {
            yield return new(
                "ttl",
                WireDuration.Format(ttl),
                answer.Ttl is { } granted ? WireDuration.Format(granted) : null
            );
        }

        // A request that never came to the gate is denied for what it names; a misspelt name should not pass for a rule.
        if (expected.Code is { } code ? code != answer.Code : answer.Gate.Count == 0)
        {
            yield return new("code", expected.Code, answer.Code);
        }

        if (expected.Approvers is { } approvers)
        {
            var asked = answer.Approvals.SelectMany(demand => demand.Approvers).Distinct().ToHashSet();
            var wanted = approvers
                .Select(approver => approver is null ? owner : OfflineEvaluation.Describe(approver))
                .ToHashSet();
            if (!asked.SetEquals(wanted!))
            {
                yield return new("approvers", Names(wanted), Names(asked));
            }
        }

        var most = answer.Approvals.Count == 0 ? (int?)null : answer.Approvals.Max(demand => demand.Quorum);
        if (expected.Quorum is { } quorum && quorum != most)
        {
            yield return new("quorum", $"{quorum}", most is null ? null : $"{most}");
        }

        var box = answer.Approvals.All(demand => demand.TimeBox is not null)
            ? answer.Approvals.Min(demand => demand.TimeBox)
            : null;
        if (expected.TimeBox is { } timeBox && timeBox != box)
        {
            yield return new(
                "timeBox",
                WireDuration.Format(timeBox),
                box is { } least ? WireDuration.Format(least) : null
            );
        }

        var executors = answer.Approvals.Select(demand => demand.Executor).OfType<string>().Distinct().ToList();
        if (expected.Executor is { } executor && !executors.Contains(executor))
        {
            yield return new("executor", executor, executors.Count == 0 ? null : string.Join(", ", executors));
        }
    }

    private static string Names(IEnumerable<ApproverResponse?> approvers) =>
        string.Join(
            ", ",
            approvers
                .Select(approver =>
                    approver switch
                    {
                        null => "owner",
                        { By: "person" } => $"{approver.Subject} of {approver.Issuer}",
                        _ => $"{approver.By}:{approver.Name}",
                    }
                )
                .Order(StringComparer.Ordinal)
        );
}
