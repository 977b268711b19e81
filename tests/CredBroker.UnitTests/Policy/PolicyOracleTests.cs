using System.Globalization;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.UnitTests.Policy.Oracle;

namespace CredBroker.UnitTests.Policy;

/// <summary>
/// Random policies decide random requests twice: compiled, and by a naive reading of the policy's description
/// (<see cref="NaiveDecision"/>). <c>CREDBROKER_TEST_DECISIONS</c> says how many decisions, where it should be more than
/// a run of the suite has time for.
/// </summary>
public sealed class PolicyOracleTests(ITestOutputHelper output)
{
    private const int RequestsEach = 100;

    private static readonly int Policies =
        (
            int.TryParse(
                Environment.GetEnvironmentVariable("CREDBROKER_TEST_DECISIONS"),
                CultureInfo.InvariantCulture,
                out var decisions
            )
                ? decisions
                : 50_000
        ) / RequestsEach;

    [Fact]
    public void The_compiled_policy_decides_as_its_description_says()
    {
        var outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 0; seed < Policies; seed++)
        {
            var cases = new Cases(seed);
            var model = cases.Policy();
            var policy = Compile(model);
            for (var number = 0; number < RequestsEach; number++)
            {
                var (identity, task, request) = (cases.Identity(), cases.Task(), cases.Request());
                var expected = NaiveDecision.Of(model, identity, task, request);
                var actual = Seen(policy.Evaluate(identity, task, request));
                Assert.True(
                    expected == actual,
                    $"seed {seed}, request {number}: {identity} {task} {request}\n"
                        + $"expected {expected}\n but was {actual}\n{model.Yaml()}"
                );
                var outcome = expected.Refusal switch
                {
                    null => "allowed",
                    RefusalCode.ApprovalNeeded => $"challenged by {(expected.Rule.Length > 0 ? "rule" : "the gate")}",
                    var refusal => $"{refusal}",
                };
                outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
            }
        }

        foreach (var (outcome, count) in outcomes)
        {
            output.WriteLine($"{outcome}: {count}");
        }

        // Cases that never reach a branch say nothing about it.
        Assert.Equal(16, outcomes.Count);
        Assert.All(outcomes, outcome => Assert.True(outcome.Value >= Policies / 5, $"{outcome.Key} is rare"));
    }

    [Fact]
    public void A_further_deny_never_widens()
    {
        for (var seed = 0; seed < Policies / 5; seed++)
        {
            var cases = new Cases(seed);
            var model = cases.Policy();
            var rules = model.Rules.ToList();
            rules.Insert(cases.Below(rules.Count + 1), cases.Rule("further", PolicyEffect.Deny));
            AssertNoWider(cases, model, model with { Rules = rules }, PolicyEffect.Deny);
        }
    }

    /// <summary>A challenge can make a challenge of a denial; it lets nothing run alone that did not before.</summary>
    [Fact]
    public void A_further_challenge_lets_nothing_run_alone()
    {
        for (var seed = 0; seed < Policies / 5; seed++)
        {
            var cases = new Cases(seed);
            var model = cases.Policy();
            var rules = model.Rules.ToList();
            rules.Insert(cases.Below(rules.Count + 1), cases.Rule("further", PolicyEffect.Challenge));
            AssertNoWider(cases, model, model with { Rules = rules }, PolicyEffect.Challenge);
        }
    }

    /// <summary>
    /// An allow that is taken away takes its bound along, so a secret that another rule still allows may live longer; and
    /// one that fails for a request had denied it. Beyond these nothing is won.
    /// </summary>
    [Fact]
    public void An_allow_that_is_taken_away_never_widens_but_by_its_own_bound()
    {
        for (var seed = 0; seed < Policies / 5; seed++)
        {
            var cases = new Cases(seed);
            var model = cases.Policy();
            if (model.Rules.Where(rule => rule.Effect == PolicyEffect.Allow).ToList() is not { Count: > 0 } allows)
            {
                continue;
            }

            var without = allows[cases.Below(allows.Count)];
            var (before, after) = (Compile(model), Compile(model with { Rules = [.. model.Rules.Except([without])] }));
            for (var number = 0; number < RequestsEach; number++)
            {
                var (identity, task, request) = (cases.Identity(), cases.Task(), cases.Request());
                var (wide, narrow) = (
                    before.Evaluate(identity, task, request),
                    after.Evaluate(identity, task, request)
                );
                if (wide.RuleId != without.Id || wide.Effect == PolicyEffect.Allow)
                {
                    Assert.False(
                        narrow.Effect == PolicyEffect.Allow && wide.Effect != PolicyEffect.Allow,
                        $"seed {seed}, request {number}: without {without.Id} allowed\n{model.Yaml()}"
                    );
                    Assert.True(wide.MatchedRules.Contains(without.Id) || !(narrow.Grant?.MaxTtl > wide.Grant?.MaxTtl));
                }
            }
        }
    }

    private static void AssertNoWider(Cases cases, Model model, Model narrower, PolicyEffect atLeast)
    {
        var (before, after) = (Compile(model), Compile(narrower));
        for (var number = 0; number < RequestsEach; number++)
        {
            var (identity, task, request) = (cases.Identity(), cases.Task(), cases.Request());
            var (wide, narrow) = (before.Evaluate(identity, task, request), after.Evaluate(identity, task, request));
            Assert.True(
                narrow.Effect >= atLeast || Seen(narrow) == Seen(wide),
                $"request {number}: {Seen(wide)} became {Seen(narrow)}\n{narrower.Yaml()}"
            );
        }
    }

    private static PolicySet Compile(Model model)
    {
        var compilation = PolicyCompiler.Compile(Samples.Document(model.Yaml()));
        Assert.True(compilation.Faults.Count == 0, $"{string.Join('\n', compilation.Faults)}\n{model.Yaml()}");
        return compilation.Set!;
    }

    private static NaiveDecision Seen(Decision decision)
    {
        Assert.Equal(decision.Refusal?.Code == RefusalCode.ApprovalNeeded, decision.Effect == PolicyEffect.Challenge);
        Assert.Equal(decision.Effect == PolicyEffect.Challenge, decision.Approval is not null);
        return new(
            decision.Effect == PolicyEffect.Allow ? null : decision.Refusal!.Code,
            decision.Agent,
            decision.RuleId,
            string.Join(' ', decision.MatchedRules),
            decision.Grant?.Ttl ?? default,
            decision.Grant?.MaxTtl ?? default,
            string.Join('\n', decision.Approval?.Demands.Select(Asks) ?? [])
        );
    }

    private static string Asks(ApprovalDemand demand) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{demand.RuleId}: {demand.Quorum} of {string.Join(", ", demand.Approvers.Select(Name).Order())}, "
                + $"not {string.Join(", ", demand.NotBy.Select(Name))}, {demand.ExpiresAfter.TotalMinutes} min, "
                + $"{demand.Executor}"
        );

    private static string Name(Approver approver) =>
        approver switch
        {
            Approver.Role role => $"role:{role.Name}",
            Approver.Group group => $"group:{group.Name}",
            Approver.Person person => $"{person.Issuer}|{person.Subject}",
            _ => throw new ArgumentOutOfRangeException(nameof(approver)),
        };
}
