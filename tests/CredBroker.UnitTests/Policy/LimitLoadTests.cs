using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;

namespace CredBroker.UnitTests.Policy;

/// <summary>The policy's <c>limits</c>: what they say, every fault with its place, and what their author can hardly mean.</summary>
public sealed class LimitLoadTests
{
    /// <summary>The sample's own limit.</summary>
    internal const string FanOut = """

        limits:
          - id: fan-out
            per: instance
            maxActive: 5
            maxIssued: { count: 60, per: 1h }
            maxDenied: { count: 10, per: 5m }
            onBreach: { quarantine: instance, for: 15m }

        """;

    [Fact]
    public void A_limit_says_what_it_counts_and_what_its_breach_does()
    {
        var policy = PolicyCompiler.Compile(Samples.Document(Samples.Text + FanOut)).Set!;

        Assert.Equal(
            new PolicyLimit
            {
                Id = "fan-out",
                Per = LimitScope.Instance,
                MaxActive = 5,
                MaxIssued = new(60, TimeSpan.FromHours(1)),
                MaxDenied = new(10, TimeSpan.FromMinutes(5)),
                QuarantineFor = TimeSpan.FromMinutes(15),
            },
            Assert.Single(policy.Limits)
        );
    }

    [Theory]
    [InlineData("instance", LimitScope.Instance)]
    [InlineData("workload", LimitScope.Workload)]
    [InlineData("task", LimitScope.Task)]
    [InlineData("process", LimitScope.Process)]
    [InlineData("credential", LimitScope.Credential)]
    public void A_limit_counts_per(string per, LimitScope scope)
    {
        var policy = Compile($"{{ id: a, per: {per}, maxActive: 1 }}").Set!;

        Assert.Equal((scope, null), (Assert.Single(policy.Limits).Per, policy.Limits[0].QuarantineFor));
    }

    [Fact]
    public void Every_decision_carries_the_limits_that_bind_it()
    {
        var policy = PolicyCompiler.Compile(Samples.Document(Samples.Text + FanOut)).Set!;
        var allowed = policy.Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling);
        var denied = policy.Evaluate(Samples.Triage, new("t", "no-such-process", "p"), Samples.ReadBilling);

        Assert.Equal((PolicyEffect.Allow, PolicyEffect.Deny), (allowed.Effect, denied.Effect));
        Assert.Equal(policy.Limits, allowed.Limits);
        Assert.Equal(policy.Limits, denied.Limits);
    }

    [Theory]
    [InlineData("challenge")]
    [InlineData(
        "{ challenge: { approvers: [\"group:leads\", owner], quorum: 2, expiresAfter: 30m, notOwner: false } }"
    )]
    public void A_breach_may_ask_people(string onBreach)
    {
        var limit = $"{{ id: a, per: task, maxActive: 1, onBreach: {onBreach} }}";
        var policy = Compile(limit).Set!;

        Assert.True(Assert.Single(policy.Limits).Challenges);
        Assert.DoesNotContain(
            PolicyLint.Check(Samples.Document(WithLimits(limit))),
            warning => warning.Message.Contains("nobody to ask", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Lint_names_a_process_in_which_a_limit_has_nobody_to_ask()
    {
        var text = WithLimits(
                "{ id: a, per: task, maxActive: 1, onBreach: challenge }",
                "{ id: b, per: task, maxActive: 1, onBreach: { challenge: { approvers: [\"role:approver\"], expiresAfter: 5m } } }"
            )
            .Replace(
                "    owner: { issuer: \"https://idp.acme.example\", subject: \"70",
                "    # ",
                StringComparison.Ordinal
            );

        Assert.Contains(
            "`a` has nobody to ask in the process `payments`",
            Assert
                .Single(
                    PolicyLint.Check(Samples.Document(text)),
                    warning => warning.Message.Contains("nobody to ask", StringComparison.Ordinal)
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>The limit, what stands at the place of the fault, and what is said.</summary>
    [Theory]
    [InlineData("{ id: a, per: instance }", "{ id", "a limit needs one of `maxActive`, `maxIssued` and `maxDenied`")]
    [InlineData("{ id: a, maxActive: 1 }", "{ id", "`per` is missing")]
    [InlineData("{ per: task, maxActive: 1 }", "{ per", "`id` is missing")]
    [InlineData("{ id: ä, per: task, maxActive: 1 }", "ä", "a name takes letters")]
    [InlineData("{ id: a, per: fleet, maxActive: 1 }", "fleet", "`per` must be one of instance, workload, task")]
    [InlineData("{ id: a, per: task, maxActive: 0 }", "0 }", "`maxActive` must be a whole number from 1 to 1000000")]
    [InlineData("{ id: a, per: task, maxActive: many }", "many", "`maxActive` must be a whole number")]
    [InlineData("{ id: a, per: task, maxActiv: 1 }", "maxActiv", "a limit has no key `maxActiv`, did you mean")]
    [InlineData("{ id: a, per: task, maxIssued: 60 }", "60", "`maxIssued` must be a mapping, not a text")]
    [InlineData("{ id: a, per: task, maxIssued: { count: 6 } }", "{ count", "`per` is missing")]
    [InlineData("{ id: a, per: task, maxIssued: { per: 1h } }", "{ per: 1h", "`count` is missing")]
    [InlineData("{ id: a, per: task, maxIssued: { count: 10001, per: 1h } }", "10001", "from 1 to 10000")]
    [InlineData("{ id: a, per: task, maxIssued: { count: 1, per: 169h } }", "169h", "`per` must be a whole number of")]
    [InlineData(
        "{ id: a, per: task, maxIssued: { count: 1, per: 1h, of: x } }",
        "of: x",
        "`maxIssued` has no key `of`"
    )]
    [InlineData(
        "{ id: a, per: task, maxDenied: { count: 1, per: 1h } }",
        "{ count",
        "`per` must be instance or workload"
    )]
    [InlineData("{ id: a, per: process, maxDenied: { count: 1, per: 1h } }", "{ count", "counts against the identity")]
    [InlineData("{ id: a, per: task, maxActive: 1, onBreach: alarm }", "alarm", "`onBreach` must be deny, challenge,")]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { challenge: { approvers: [], expiresAfter: 5m } } }",
        "[]",
        "nobody could be asked"
    )]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { challenge: { approvers: [owner] } } }",
        "{ approvers",
        "`expiresAfter` is missing"
    )]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { challenge: { approvers: [owner], expiresAfter: 5m, executor: triage } } }",
        "executor",
        "`challenge` has no key `executor`"
    )]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { challenge: { approvers: [owner], expiresAfter: 5m }, for: 5m } }",
        "for",
        "has no key `for`"
    )]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { quarantine: instance } }",
        "{ quarantine",
        "`for` is missing"
    )]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { quarantine: fleet, for: 1m } }",
        "fleet",
        "must be one of instance"
    )]
    [InlineData(
        "{ id: a, per: task, maxActive: 1, onBreach: { quarantine: instance, for: 200h } }",
        "200h",
        "up to 168h"
    )]
    public void Every_fault_of_a_limit_has_its_place(string limit, string at, string message)
    {
        var text = WithLimits(limit);
        var offset = text.LastIndexOf(limit, StringComparison.Ordinal) + limit.IndexOf(at, StringComparison.Ordinal);
        var line = text[..offset].Count(c => c == '\n') + 1;
        var column = offset - text.LastIndexOf('\n', offset);

        var faults = PolicyCompiler.Compile(Samples.Document(text)).Faults;

        Assert.Contains(
            faults,
            fault =>
                (fault.Line, fault.Column) == (line, column)
                && fault.Message.Contains(message, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Ids_of_limits_are_unlike_and_there_are_not_too_many()
    {
        Assert.Contains(
            Compile("{ id: a, per: task, maxActive: 1 }", "{ id: a, per: process, maxActive: 1 }").Faults,
            fault => fault.Message == "the id `a` belongs to an earlier limit"
        );
        Assert.Contains(
            Compile([.. Enumerable.Range(0, 21).Select(id => $"{{ id: l{id}, per: task, maxActive: 1 }}")]).Faults,
            fault => fault.Message.StartsWith("there are more than 20 limits", StringComparison.Ordinal)
        );
        Assert.Contains(
            PolicyCompiler.Compile(Samples.Document(Samples.Text + "\nlimits: none\n")).Faults,
            fault => fault.Message == "`limits` must be a list, not a text"
        );
    }

    [Theory]
    [InlineData(
        "{ id: a, per: credential, maxActive: 1, onBreach: { quarantine: instance, for: 1m } }",
        "quarantines the instance that happens to ask last"
    )]
    [InlineData("{ id: a, per: task, maxActive: 10, maxIssued: { count: 5, per: 7h } }", null)]
    [InlineData("{ id: a, per: instance, maxActive: 1, onBreach: { quarantine: instance, for: 1m } }", null)]
    [InlineData("{ id: a, per: workload, maxActive: 1, onBreach: { quarantine: instance, for: 1m } }", "ask last")]
    [InlineData(
        "{ id: a, per: workload, maxDenied: { count: 1, per: 1m }, onBreach: { quarantine: instance, for: 1m } }",
        null
    )]
    public void Lint_names_a_limit_that_stops_whoever_comes_last(string limit, string? warning)
    {
        var warnings = PolicyLint.Check(Samples.Document(WithLimits(limit))).Select(found => found.Message).ToList();

        Assert.Equal(
            warning is not null,
            warnings.Exists(found =>
                warning is null
                    ? found.Contains("limit", StringComparison.Ordinal)
                    : found.Contains(warning, StringComparison.Ordinal)
            )
        );
    }

    private static string WithLimits(params IEnumerable<string> limits) =>
        Samples.Text + "\nlimits:\n" + string.Concat(limits.Select(limit => $"  - {limit}\n"));

    private static PolicyCompilation Compile(params IEnumerable<string> limits) =>
        PolicyCompiler.Compile(Samples.Document(WithLimits(limits)));
}
