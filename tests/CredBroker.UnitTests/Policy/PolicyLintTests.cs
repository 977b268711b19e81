using CredBroker.Core.Policy.Linting;

namespace CredBroker.UnitTests.Policy;

public sealed class PolicyLintTests
{
    private const string Gate = "the rule `payments-need-a-human` allows nothing: the autonomy gate denies";

    [Fact]
    public void The_sample_earns_only_the_warnings_it_deserves()
    {
        var warnings = PolicyLint.Check(Samples.Document());

        Assert.Equal(2, warnings.Count);
        Assert.StartsWith(Gate, warnings[0].Message, StringComparison.Ordinal);
        // Nothing in the sample is of the category that its last rule guards against.
        Assert.Equal(
            "the rule `no-secret-handling` can never match: no credential of the catalogue is like that",
            warnings[1].Message
        );
    }

    [Fact]
    public void A_document_with_faults_has_no_warnings() =>
        Assert.Empty(PolicyLint.Check(Samples.Document("apiVersion: x")));

    [Theory]
    [InlineData("allow", "true", 1)]
    [InlineData("allow", "1 + 1 == 2", 1)]
    [InlineData("allow", "credential.access == \"read\"", 0)]
    [InlineData("deny", "true", 0)]
    public void A_rule_that_allows_everything_to_everybody_is_warned_of(string effect, string condition, int warned)
    {
        var warnings = PolicyLint.Check(
            Samples.Document(
                Samples.Edited(
                    ("credential.category == \"secret-handling\"", condition),
                    ("effect: deny", $"effect: {effect}")
                )
            )
        );

        Assert.Equal(
            warned,
            warnings.Count(warning =>
                warning.Message.Contains("allows everything in the catalogue", StringComparison.Ordinal)
            )
        );
    }

    [Theory]
    [InlineData(
        "agent == \"triage\" && agent == \"payer\" && true",
        "can never match: `agent` cannot be both \"triage\" and \"payer\""
    )]
    [InlineData("false && agent == \"triage\"", "can never match: it says false")]
    [InlineData(
        "credential.name == \"billing-readonly\" && credential.access == \"write\"",
        "can never match: no credential of the catalogue is like that"
    )]
    [InlineData(
        "credential.name == \"billing-readonyl\"",
        "there is no credential `billing-readonyl`, did you mean `billing-readonly`?"
    )]
    [InlineData("credential.name in [\"billing-readonly\", \"bill\"]", "there is no credential `bill`")]
    [InlineData("agent != \"triag\"", "there is no agent `triag`, did you mean `triage`?")]
    [InlineData("(\"paymnets\" == task.process) || true", "there is no process `paymnets`, did you mean `payments`?")]
    [InlineData("credential.impact == \"hihg\" || true", "there is no impact `hihg`")]
    [InlineData(
        "task.process == \"payments\" && agent == \"triage\"",
        "can never match: no process of that name has an agent `triage`"
    )]
    [InlineData("toolCall.arguments.hosts.all(h, h == \"a\")", "all() is true for an empty list")]
    public void A_condition_that_cannot_be_meant_is_named(string condition, string message)
    {
        var warnings = PolicyLint.Check(
            Samples.Document(Samples.Edited(("credential.category == \"secret-handling\"", condition)))
        );

        Assert.Contains(
            warnings,
            warning => warning.Line >= 60 && warning.Message.Contains(message, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("request.actions.all(a, a == \"read\")")]
    [InlineData("size(toolCall.arguments.hosts) > 0 && toolCall.arguments.hosts.all(h, h == \"a\")")]
    [InlineData("toolCall.arguments.hosts.exists(h, h == \"a\")")]
    [InlineData("agent == \"payer\" || agent == \"triage\"")]
    public void A_condition_that_can_be_meant_is_not(string condition) =>
        Assert.StartsWith(
            Gate,
            Assert
                .Single(
                    PolicyLint.Check(
                        Samples.Document(Samples.Edited(("credential.category == \"secret-handling\"", condition)))
                    )
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void An_allow_rule_in_the_shadow_of_a_deny_rule_is_named()
    {
        var warnings = PolicyLint.Check(
            Samples.Document(
                Samples.Edited(("credential.category == \"secret-handling\"", "credential.engine == \"pki\""))
            )
        );

        Assert.Equal(
            ["the rule `triage-connects` allows nothing: whatever it matches is denied by `no-secret-handling`"],
            warnings
                .Select(warning => warning.Message)
                .Where(message => !message.StartsWith(Gate, StringComparison.Ordinal))
        );
    }

    [Fact]
    public void A_credential_that_no_rule_allows_is_named() =>
        AssertWarns(
            "no rule allows the credential `agent-mtls`: nobody can get it",
            ("credential.name == \"agent-mtls\"", "credential.name == \"payments-api-key\"")
        );

    [Fact]
    public void An_agent_of_no_process_is_named() =>
        AssertWarns(
            "the agent `payments-executor` belongs to no process",
            ("agents: [payer, payments-executor]", "agents: [payer]")
        );

    [Fact]
    public void An_agent_of_any_issuer_is_named() =>
        AssertWarns(
            "the agent `payments-executor` may come from any issuer",
            (
                "identity.spiffeId == \"spiffe://acme.example/executors/payments\"",
                "identity.spiffeId.startsWith(\"spiffe://acme.example/\")"
            )
        );

    [Fact]
    public void A_process_without_an_owner_is_named() =>
        AssertWarns(
            "the process `payments` has no owner",
            (
                "    owner: { issuer: \"https://idp.acme.example\", subject: "
                    + "\"70fd3e76-0000\", contact: treasury@acme.example }\n",
                ""
            )
        );

    [Fact]
    public void A_rule_far_below_the_life_of_the_Vault_role_is_named() =>
        AssertWarns(
            "maxTtl is under half of what `billing-readonly` lives in Vault (15m)",
            ("maxTtl: 10m\n  - id", "maxTtl: 7m\n  - id")
        );

    private static void AssertWarns(string message, (string, string) edit) =>
        Assert.Contains(
            PolicyLint.Check(Samples.Document(Samples.Edited(edit))),
            warning => warning.Message.StartsWith(message, StringComparison.Ordinal)
        );
}
