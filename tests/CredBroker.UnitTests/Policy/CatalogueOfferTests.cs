using System.Globalization;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Requests;
using CredBroker.UnitTests.Policy.Oracle;

namespace CredBroker.UnitTests.Policy;

/// <summary>
/// What is offered, held against what the oracle (<see cref="NaiveDecision"/>) decides: nothing that is said to be
/// allowed is ever not, and nothing that is ever allowed is left out.
/// </summary>
public sealed class CatalogueOfferTests(ITestOutputHelper output)
{
    private const int RequestsEach = 300;

    private static readonly int Policies =
        (
            int.TryParse(
                Environment.GetEnvironmentVariable("CREDBROKER_TEST_DECISIONS"),
                CultureInfo.InvariantCulture,
                out var decisions
            )
                ? decisions
                : 150_000
        ) / RequestsEach;

    [Fact]
    public void An_offer_is_never_wider_than_the_truth_and_nothing_that_could_be_had_is_missing()
    {
        var outcomes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        for (var seed = 0; seed < Policies; seed++)
        {
            var cases = new Cases(seed);
            var model = cases.Policy();
            var policy = PolicyCompiler.Compile(Samples.Document(model.Yaml())).Set!;
            var identity = cases.Identity();
            var offers = policy
                .Offers(identity, TestContext.Current.CancellationToken)
                .ToDictionary(offer => (offer.Process.Name, offer.Entry.Name));
            foreach (var offer in offers.Values)
            {
                Count(offer.Outcome.ToString());
            }

            for (var number = 0; number < RequestsEach; number++)
            {
                var (task, request) = (cases.Task(), cases.Request());
                if (!IsOfShape(model, task, request))
                {
                    continue;
                }

                var truth = NaiveDecision.Of(model, identity, task, request);
                var where = $"seed {seed}, request {number}: {identity} {task} {request}\n{truth}\n{model.Yaml()}";
                if (!offers.TryGetValue((task.Process, request.Credential), out var offer))
                {
                    Assert.True(truth.Refusal is not (null or RefusalCode.ApprovalNeeded), where);
                    Count("missing, denied");
                    continue;
                }

                Count($"{offer.Outcome}: {truth.Refusal?.ToString() ?? "allowed"}");
                Assert.True(truth.Refusal is not null || truth.MaxTtl <= offer.MaxTtl, where);
                switch (offer.Outcome)
                {
                    case OfferOutcome.Allow:
                        Assert.True(truth.Refusal is null && truth.MaxTtl == offer.MaxTtl, where);
                        break;
                    case OfferOutcome.Challenge:
                        Assert.True(truth.Refusal == RefusalCode.ApprovalNeeded, where);
                        break;
                }
            }
        }

        foreach (var (outcome, count) in outcomes)
        {
            output.WriteLine($"{outcome}: {count}");
        }

        // Offers that never come say nothing about them.
        Assert.All(
            [
                "Allow: allowed",
                "Challenge: ApprovalNeeded",
                "Depends: allowed",
                "Depends: NoRuleAllows",
                "missing, denied",
            ],
            outcome => Assert.True(outcomes.GetValueOrDefault(outcome) >= Policies / 20, $"{outcome} is rare")
        );

        void Count(string outcome) => outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
    }

    [Fact]
    public void What_a_rule_reads_of_the_request_is_named()
    {
        var offer = Offer("""when: 'credential.name == "c" && "read" in request.actions && toolCall.name == "x"'""");
        Assert.Equal(OfferOutcome.Depends, offer!.Outcome);
        Assert.Equal(["request.actions", "toolCall.name"], offer.DependsOn);
    }

    [Fact]
    public void A_rule_that_cannot_match_whatever_is_asked_makes_nothing_depend() =>
        Assert.Equal(
            OfferOutcome.Allow,
            Offer(
                """
                when: 'credential.name == "c"'
                  - id: other
                    effect: deny
                    when: 'credential.access == "write" && request.resource == "x"'
                """
            )!.Outcome
        );

    [Fact]
    public void A_rule_in_shadow_changes_nothing_of_what_is_offered()
    {
        var offer = Offer(
            """
            when: 'credential.name == "c"'
              - id: other
                effect: deny
                enforcement: shadow
                when: 'request.resource == "x"'
            """
        );
        Assert.Equal(OfferOutcome.Allow, offer!.Outcome);
        Assert.Empty(offer.DependsOn);
    }

    [Fact]
    public void A_deny_whatever_is_asked_takes_it_out() =>
        Assert.Null(
            Offer(
                """
                when: 'request.resource == "x"'
                  - id: other
                    effect: deny
                    when: 'request.resource == "y" || credential.name == "c"'
                """
            )
        );

    [Fact]
    public void A_rule_whose_steps_depend_on_the_request_is_not_said_to_allow()
    {
        // True whatever the arguments are, unless they are so many that the decision runs out of steps.
        var offer = Offer("""when: 'toolCall.arguments.all(a, a != "x") || credential.name == "c"'""");
        Assert.Equal(OfferOutcome.Depends, offer!.Outcome);
    }

    [Fact]
    public void An_identity_that_no_process_admits_is_offered_nothing() =>
        Assert.Empty(
            PolicyCompiler
                .Compile(Document("""when: 'credential.name == "c"'"""))
                .Set!.Offers(Identity("stranger"), TestContext.Current.CancellationToken)
        );

    private static CatalogueOffer? Offer(string rule)
    {
        var compiled = PolicyCompiler.Compile(Document(rule));
        Assert.True(compiled.Set is not null, string.Join('\n', compiled.Faults));
        return compiled.Set.Offers(Identity("a"), TestContext.Current.CancellationToken).SingleOrDefault();
    }

    private static PolicyDocument Document(string rule) =>
        Samples.Document(
            $$"""
            apiVersion: credbroker/v1
            agents:
              a: { member: 'identity.issuer == "https://one.example" && identity.workload == "a"' }
            processes:
              p:
                owner: { issuer: "https://people.example", subject: "o", contact: o@acme.example }
                toleratesRuntimeAction: true
                agents: [a]
            credentials:
              c:
                vault: { engine: token, role: cb-test-c }
                access: read
                impact: low
                reversible: true
                actions: [read]
                maxTtl: 5m
            rules:
              - id: r
                effect: allow
                {{rule}}
            """
        );

    private static WorkloadIdentity Identity(string workload) =>
        new()
        {
            Proof = ProofMethod.Oidc,
            Issuer = "https://one.example",
            Subject = workload,
            Workload = workload,
            Instance = "i",
            Claims = new Dictionary<string, System.Text.Json.JsonElement>(),
            ProofExpiresAt = DateTimeOffset.UnixEpoch,
            ProofHash = "",
        };

    /// <summary>Whether a request is one that an exchange could make of an entry that there is.</summary>
    private static bool IsOfShape(Model model, AgentTask task, CredentialRequest request) =>
        task.Id.Length > 0
        && request.Actions.Count > 0
        && !(request.Ttl < TimeSpan.FromSeconds(1))
        && model.Credentials.SingleOrDefault(entry => entry.Name == request.Credential) is { } found
        && request.Actions.All(found.Actions.Contains);
}
