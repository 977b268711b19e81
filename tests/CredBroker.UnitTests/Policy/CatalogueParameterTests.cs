using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Linting;
using CredBroker.Core.Requests;
using CredBroker.Testing;

namespace CredBroker.UnitTests.Policy;

/// <summary>A catalogue entry whose path a request fills in, and what keeps it where it belongs.</summary>
public sealed class CatalogueParameterTests
{
    private const string Tenant = "{ tenant: { pattern: \"[a-z0-9-]{1,40}\" } }";
    private const string AnyTenant = "agent == \"triage\" && credential.name == \"tenant-key\"";
    private const string OwnTenants = AnyTenant + " && request.params.tenant in [\"acme\", \"ajax\"]";

    [Fact]
    public void What_is_granted_is_where_the_request_says_and_the_rules_decide_on_it()
    {
        var policy = Policy();
        var acme = Decide(policy, ("tenant", "acme"));
        Assert.Equal(PolicyEffect.Allow, acme.Effect);
        Assert.Equal(
            new VaultBinding.KeyValue("secret", "tenants/acme/api-key"),
            Assert.IsType<VaultBinding.KeyValue>(acme.Grant!.Entry.Vault)
        );
        Assert.Null(acme.Grant.Entry.Params);

        Assert.Equal(RefusalCode.NoRuleAllows, Decide(policy, ("tenant", "other")).Refusal?.Code);
        Assert.NotEqual(Digest(policy, "acme"), Digest(policy, "ajax"));
        // What has no parameters has the digest that it always had.
        Assert.Equal(
            "tenants/{tenant}/api-key",
            Assert.IsType<VaultBinding.KeyValue>(policy.Credentials["tenant-key"].Vault).Path
        );
    }

    [Fact]
    public void A_request_brings_exactly_the_parameters_that_there_are()
    {
        var policy = Policy();
        Assert.Equal(RefusalCode.ParamsInvalid, Decide(policy).Refusal?.Code);
        Assert.Equal(RefusalCode.ParamsInvalid, Decide(policy, ("tenants", "acme")).Refusal?.Code);
        Assert.Equal(RefusalCode.ParamsInvalid, Decide(policy, ("tenant", "acme"), ("region", "eu")).Refusal?.Code);
        Assert.Equal(
            RefusalCode.ParamsInvalid,
            policy
                .Evaluate(
                    Samples.Triage,
                    Samples.TriageTask,
                    Samples.ReadBilling with
                    {
                        Params = Of(("tenant", "acme")),
                    }
                )
                .Refusal?.Code
        );
    }

    [Theory]
    [InlineData("")]
    [InlineData("ACME")]
    [InlineData("acme\n")]
    [InlineData("acme/../other")]
    [InlineData("..")]
    [InlineData("acme x")]
    [InlineData("a\u0000")]
    [InlineData("äcme")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_value_matches_its_pattern_as_a_whole(string value) =>
        Assert.Equal(RefusalCode.ParamsInvalid, Decide(Policy(rule: AnyTenant), ("tenant", value)).Refusal?.Code);

    [Fact]
    public void No_value_leads_out_of_the_template_whatever_the_pattern_takes()
    {
        var policy = Policy(parameters: "{ tenant: { pattern: \"[^x]*\" } }", rule: AnyTenant);
        var dice = new Dice(7);
        const string Hostile = "./\\%2e{}+*?#&=;:@ \t\n\r\0ab-_~\u202e\ud83d";
        var granted = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var value = string.Concat(
                Enumerable.Range(0, dice.Below(6)).Select(_ => Hostile[dice.Below(Hostile.Length)])
            );
            if (Decide(policy, ("tenant", value)).Grant is not { } grant)
            {
                continue;
            }

            granted++;
            var path = Assert.IsType<VaultBinding.KeyValue>(grant.Entry.Vault).Path;
            var segments = path.Split('/');
            Assert.Equal(3, segments.Length);
            Assert.Equal(("tenants", value, "api-key"), (segments[0], segments[1], segments[2]));
            Assert.All(value, c => Assert.True(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.', value));
            Assert.DoesNotContain(value, new[] { "", ".", ".." });
        }

        Assert.InRange(granted, 20, 20_000);
    }

    [Theory]
    [InlineData("tenants/{tenant}/api-key", null, "`params` says nothing of {tenant}")]
    [InlineData("tenants/{tenant}/{region}", Tenant, "`params` says nothing of {region}")]
    [InlineData("tenants/acme", Tenant, "the path has no {tenant}")]
    [InlineData("tenants/x{tenant}/api-key", Tenant, "`path` takes letters")]
    [InlineData("tenants/{te-nant}/api-key", Tenant, "`path` takes letters")]
    [InlineData("tenants/{}/api-key", Tenant, "`path` takes letters")]
    [InlineData("tenants/{tenant}/../x", Tenant, "`path` takes letters")]
    [InlineData("tenants/{tenant}", "{ tenant: { pattern: \"a)|(b\" } }", "`pattern`: there is a ) without its (")]
    [InlineData("tenants/{tenant}", "{ tenant: { pattern: \"(a)\\\\1\" } }", "`pattern`:")]
    [InlineData("tenants/{tenant}", "{ tenant: {} }", "`pattern` is missing")]
    [InlineData("tenants/{tenant}", "{ tenant: { pattern: \"a\", max: 3 } }", "a parameter has no key `max`")]
    [InlineData(
        "tenants/{tenant}",
        "{ tenant: { pattern: \"a\" }, tenant: { pattern: \"b\" } }",
        "`tenant` stands in `params` twice"
    )]
    [InlineData("tenants/{tenant}", "[tenant]", "`params` must be a mapping of 1 to 8 names")]
    [InlineData("tenants/{tenant}", "{}", "`params` must be a mapping of 1 to 8 names")]
    public void A_template_and_its_parameters_fit_each_other(string path, string? parameters, string message) =>
        Assert.Contains(
            PolicyCompiler.Compile(Samples.Document(Text(path, parameters, AnyTenant))).Faults,
            fault => fault.Message.Contains(message, StringComparison.Ordinal)
        );

    [Fact]
    public void Only_a_stored_value_has_parameters()
    {
        var text = Text("tenants/{tenant}", Tenant, AnyTenant)
            .Replace("engine: kv, mount: secret, path", "engine: dynamic, path", StringComparison.Ordinal);
        Assert.Contains(
            PolicyCompiler.Compile(Samples.Document(text)).Faults,
            fault => fault.Message == "a credential of the engine dynamic takes no `params`"
        );
    }

    [Fact]
    public void A_condition_compares_a_parameter_as_a_text() =>
        Assert.NotEmpty(
            PolicyCompiler.Compile(Samples.Document(Text(rule: AnyTenant + " && request.params.tenant == 7"))).Faults
        );

    [Theory]
    [InlineData(OwnTenants, true)]
    [InlineData(AnyTenant + " && request.params[\"tenant\"] == \"acme\"", true)]
    [InlineData(AnyTenant, false)]
    [InlineData(AnyTenant + " && has(request.params.tenant)", false)]
    [InlineData(AnyTenant + " && request.resource == \"tenant\"", false)]
    public void Lint_names_a_rule_that_gives_any_value(string rule, bool isBound)
    {
        var warnings = PolicyLint.Check(Samples.Document(Text(rule: rule)));
        Assert.Equal(
            !isBound,
            warnings.Any(warning =>
                warning.Message.StartsWith(
                    "the rule `tenants` gives `tenant-key` for any tenant",
                    StringComparison.Ordinal
                )
            )
        );
    }

    [Theory]
    [InlineData("agent == \"triage\" && request.params.tenant == \"acme\"", true)]
    [InlineData("agent == \"triage\" && has(request.params.tenant) && request.params.tenant == \"acme\"", false)]
    [InlineData(OwnTenants, false)]
    public void Lint_names_a_rule_that_fails_where_there_is_no_parameter(string rule, bool fails)
    {
        var warnings = PolicyLint.Check(Samples.Document(Text(rule: rule))).Select(warning => warning.Message).ToList();
        Assert.Equal(
            fails,
            warnings.Exists(message =>
                message.StartsWith(
                    "the rule `tenants` fails, and so denies, where a request has no tenant",
                    StringComparison.Ordinal
                )
            )
        );
        // It is as the linter says.
        Assert.Equal(
            fails ? RefusalCode.RuleFailed : null,
            Policy(rule: rule).Evaluate(Samples.Triage, Samples.TriageTask, Samples.ReadBilling).Refusal?.Code
        );
    }

    [Theory]
    [InlineData("credential.name == \"tenant-key\"", true)]
    [InlineData("agent == \"triage\"", true)]
    [InlineData("task.process == \"invoice-triage\"", false)]
    [InlineData("agent == \"payer\"", false)]
    public void A_rule_that_denies_bounds_a_parameter_for_those_that_it_is_about(string about, bool isBound)
    {
        var text =
            Text(rule: AnyTenant)
            + $"  - {{ id: own, effect: deny, when: '{about} && request.params.tenant != \"acme\"' }}\n";
        Assert.Equal(
            !isBound,
            PolicyLint
                .Check(Samples.Document(text))
                .Any(warning => warning.Message.Contains("for any tenant", StringComparison.Ordinal))
        );
    }

    [Theory]
    [InlineData("secret", "tenants/admin/api-key", null, true)]
    [InlineData("secret", "tenants/Admin/api-key", null, null)]
    [InlineData("secret", "tenants/admin/other", null, null)]
    [InlineData("secret", "tenants/admin/api-key/more", null, null)]
    [InlineData("other", "tenants/admin/api-key", null, null)]
    [InlineData("secret", "tenants/admin/{what}", "{ what: { pattern: 'api-.*' } }", true)]
    [InlineData("secret", "tenants/admin/{what}", "{ what: { pattern: 'db-.*' } }", null)]
    [InlineData(
        "secret",
        "{what}/{tenant}/api-key",
        "{ what: { pattern: '[a-z]+' }, tenant: { pattern: '[a-z0-9-]{1,40}' } }",
        true
    )]
    // Whether two patterns have a value in common is not known, and two times the same template is no accident.
    [InlineData("secret", "tenants/{who}/api-key", "{ who: { pattern: '[A-Z]+' } }", false)]
    [InlineData("secret", "tenants/{who}/api-key", "{ who: { pattern: '[a-z0-9-]{1,40}' } }", false)]
    public void A_parameter_leads_to_no_secret_of_another_entry(
        string mount,
        string path,
        string? parameters,
        bool? isCertain
    )
    {
        var text = Text()
            .Replace(
                "  tenant-key:\n",
                $$"""
                  admin-key:
                    vault: { engine: kv, mount: {{mount}}, path: "{{path}}" }
                    {{(parameters is null ? "#" : "params: " + parameters)}}
                    access: read
                    impact: high
                    reversible: true
                    actions: [read]
                    maxTtl: 5m
                  tenant-key:

                """,
                StringComparison.Ordinal
            );

        Assert.Equal(isCertain == true, Tells(PolicyCompiler.Compile(Samples.Document(text)).Faults));
        Assert.Equal(isCertain == false, Tells(PolicyLint.Check(Samples.Document(text))));

        bool Tells(IEnumerable<PolicyFault> said) =>
            said.Any(fault =>
                fault.Message.StartsWith(
                    "`tenant-key` also reaches the secret of `admin-key`",
                    StringComparison.Ordinal
                )
                && text.Split('\n')[fault.Line - 1] == "  tenant-key:"
            );
    }

    [Fact]
    public void What_is_offered_depends_on_the_parameters()
    {
        var offers = Policy().Offers(Samples.Triage, TestContext.Current.CancellationToken);
        var bound = Assert.Single(offers, offer => offer.Entry.Name == "tenant-key");
        Assert.Equal(OfferOutcome.Depends, bound.Outcome);
        Assert.Equal(["request.params"], bound.DependsOn);
        Assert.Equal([new("tenant", "[a-z0-9-]{1,40}")], bound.Entry.Params);

        offers = Policy(rule: AnyTenant).Offers(Samples.Triage, TestContext.Current.CancellationToken);
        var open = Assert.Single(offers, offer => offer.Entry.Name == "tenant-key");
        Assert.Equal((OfferOutcome.Depends, "request.params"), (open.Outcome, Assert.Single(open.DependsOn)));
    }

    private static string Digest(PolicySet policy, string tenant)
    {
        var request = Request(("tenant", tenant));
        return ApprovalDigest.Of(
            Samples.Triage,
            Samples.TriageTask,
            request,
            policy.Evaluate(Samples.Triage, Samples.TriageTask, request)
        );
    }

    private static Decision Decide(PolicySet policy, params (string, string)[] values) =>
        policy.Evaluate(Samples.Triage, Samples.TriageTask, Request(values));

    private static CredentialRequest Request(params (string, string)[] values) =>
        new()
        {
            Credential = "tenant-key",
            Actions = ["read"],
            Params = values.Length == 0 ? null : Of(values),
        };

    private static Dictionary<string, string> Of(params (string Name, string Value)[] values) =>
        values.ToDictionary(value => value.Name, value => value.Value);

    private static PolicySet Policy(string parameters = Tenant, string rule = OwnTenants)
    {
        var compiled = PolicyCompiler.Compile(Samples.Document(Text("tenants/{tenant}/api-key", parameters, rule)));
        Assert.Empty(compiled.Faults);
        return compiled.Set!;
    }

    private static string Text(
        string path = "tenants/{tenant}/api-key",
        string? parameters = Tenant,
        string rule = OwnTenants
    ) =>
        Samples.Edited(
            (
                "rules:\n",
                $$"""
                  tenant-key:
                    vault: { engine: kv, mount: secret, path: "{{path}}" }
                    {{(parameters is null ? "#" : "params: " + parameters)}}
                    access: read
                    impact: low
                    reversible: true
                    actions: [read]
                    maxTtl: 5m
                rules:
                  - { id: tenants, effect: allow, when: '{{rule}}' }

                """
            )
        );
}
