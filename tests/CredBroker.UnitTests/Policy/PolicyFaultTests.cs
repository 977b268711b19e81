using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;

namespace CredBroker.UnitTests.Policy;

/// <summary>What is no policy: each fault is named with its place.</summary>
public sealed class PolicyFaultTests
{
    /// <summary>One edit of the sample, what stands at the place of the fault, and what is said about it.</summary>
    [Theory]
    [InlineData(
        "apiVersion: credbroker/v1",
        "apiVersion: credbroker/v2",
        "credbroker/v2 » `apiVersion` must be one of credbroker/v1"
    )]
    [InlineData("apiVersion: credbroker/v1\n", "", "agents: » `apiVersion` is missing")]
    [InlineData(
        "agents:     ",
        "agent:     ",
        "apiVersion » `agents` is missing|agent:  » a policy has no key `agent`, did you mean `agents`?|"
            + "triage] » there is no agent `triage`|"
            + "payer, » there is no agent `payer`|"
            + "payments-executor] » there is no agent `payments-executor`"
    )]
    [InlineData(
        "id: no-secret-handling\n    effect: deny",
        "id: no-secret-handling\n    effect: challenge",
        "id: no-secret-handling » `approval` is missing"
    )]
    [InlineData(
        "id: no-secret-handling\n",
        "id: no-secret-handling\n    executor: triage\n    approval: { quorum: 1 }\n",
        "executor: triage » a rule has no key `executor`|"
            + "{ quorum: 1 } » only a rule that challenges takes `approval`"
    )]
    [InlineData("agents: [triage]    ", "agents: []    ", "[] » `agents` is empty: nobody could claim the process")]
    [InlineData(
        "agents: [triage]    ",
        "agents: [traige]    ",
        "traige » there is no agent `traige`, did you mean `triage`?"
    )]
    [InlineData("agents: [triage]    ", "agents: [triage, triage]    ", "triage] » `triage` stands in `agents` twice")]
    [InlineData(
        "toleratesRuntimeAction: true\n    agents",
        "toleratesRuntimeAction: yes\n    agents",
        "yes » `toleratesRuntimeAction` must be true or false"
    )]
    [InlineData(
        "toleratesRuntimeAction: true\n    agents",
        "toleratesRuntimeAction: 'true'\n    agents",
        "'true' » `toleratesRuntimeAction` must be true or false"
    )]
    [InlineData(
        "acceptsUnrevocable: [agent-mtls]",
        "acceptsUnrevocable: [agent-mtl]",
        "agent-mtl] » there is no credential `agent-mtl`, did you mean `agent-mtls`?"
    )]
    [InlineData(
        "acceptsUnrevocable: [agent-mtls]",
        "onOwnerGone: quarantine",
        "quarantine » `onOwnerGone` must be one of constrain, revoke"
    )]
    [InlineData(", contact: treasury@acme.example", "", "{ issuer » `contact` is missing")]
    [InlineData(
        "engine: kv",
        "engine: kvv",
        "kvv » `engine` must be one of database, dynamic, pki, kv, token, did you mean `kv`?|"
            + "path: » `vault` of the engine database has no key `path`|"
            + "{ engine » `role` is missing"
    )]
    [InlineData("path: payments/api-key", "path: payments/../admin", "payments/.. » `path` takes letters")]
    [InlineData("path: payments/api-key", "path: payments/api-key?x=1", "payments/api » `path` takes letters")]
    [InlineData("mount: secret", "mount: sys", "sys » `mount` lies under sys/")]
    [InlineData(
        "engine: kv, mount: secret, path: payments/api-key",
        "engine: dynamic, path: auth/token/create",
        "auth » `path` lies under auth/"
    )]
    [InlineData(
        "engine: kv, mount: secret, path: payments/api-key }",
        "engine: token, role: r }\n    address: vault:8200",
        "vault:8200 » `address` must be the address"
    )]
    [InlineData(
        "when: credential.category == \"secret-handling\"",
        "when: 'task.id == \"it''s\" && agnt == \"\"'",
        "agnt » no such name `agnt`"
    )]
    [InlineData(
        "when: credential.category == \"secret-handling\"",
        "when: |\n      // a comment\n      task.id == \"\\\\\" &&\n      agnt == \"\"",
        "agnt » no such name `agnt`"
    )]
    [InlineData(
        "when: credential.category == \"secret-handling\"",
        "when: \"task.id == \\\"a\\\" && agnt == \\\"\\\"\"",
        "\"task » no such name `agnt`"
    )]
    [InlineData("role: cb-prod-billing-readonly", "role: ../admin", "../admin » `role` takes letters")]
    [InlineData("    names: { uri: \"{{identity.spiffeId}}\" }\n", "", "vault: { engine: pki » `names` is missing")]
    [InlineData("{{identity.spiffeId}}", "{{csr.uri}}", "\"{{csr » `uri`: {{…}} names one of identity.issuer")]
    [InlineData("{{identity.spiffeId}}", "{{identity.claims.name}}", "\"{{identity.claims » `uri`: {{…}} names one of")]
    [InlineData(
        "{{identity.spiffeId}}",
        "spiffe://acme.example/everybody",
        "\"spiffe » `uri`: a template names the identity"
    )]
    [InlineData(
        "{{identity.spiffeId}}",
        "spiffe://acme.example/{{identity.workload}}-{{identity.instance}}",
        "\"spiffe » `uri`: two fields must stand apart, with '/' or ':' between them"
    )]
    [InlineData(
        "{{identity.spiffeId}}",
        "spiffe://acme.example/{{identity.workload}}.{{identity.instance}}",
        "\"spiffe » `uri`: two fields must stand apart"
    )]
    [InlineData(
        "{{identity.spiffeId}}",
        "spiffe://acme.example/{{identity.workload}}{{identity.instance}}",
        "\"spiffe » `uri`: two fields must stand apart"
    )]
    [InlineData(
        "{{identity.spiffeId}}",
        "{{identity.spiffeId}}/{{identity.instance}}",
        "\"{{identity » `uri`: {{identity.spiffeId}} is a whole name and stands alone"
    )]
    [InlineData(
        "uri: \"{{identity.spiffeId}}\"",
        "dns: \"{{identity.workload}}-{{identity.instance}}.acme.example\"",
        "\"{{identity » `dns`: two fields must stand apart, with '.' between them"
    )]
    [InlineData(
        "uri: \"{{identity.spiffeId}}\"",
        "commonName: \"{{identity.workload}}.{{identity.instance}}\"",
        "\"{{identity » `commonName`: two fields must stand apart"
    )]
    [InlineData(
        "    maxTtl: 2m\n",
        "    maxTtl: 2m\n    toolCall: sometimes\n",
        "sometimes » `toolCall` must be one of"
    )]
    [InlineData(
        "    actions: [connect]\n",
        "    actions: [connect]\n    toolCall: optional\n",
        "optional » `toolCall` is of a credential"
    )]
    [InlineData("port: 5432", "port: 70000", "70000 » `port` must be a whole number from 1 to 65535")]
    [InlineData("sslmode: verify-full", "sslmode: verify", "verify » `sslmode` must be one of")]
    [InlineData("maxTtl: 15m", "maxTtl: 15", "15 » `maxTtl` must be a whole number of s, m or h up to 768h")]
    [InlineData("maxTtl: 15m", "maxTtl: 0s", "0s » `maxTtl` must be a whole number")]
    [InlineData("maxTtl: 15m", "maxTtl: 1000h", "1000h » `maxTtl` must be a whole number")]
    [InlineData("maxTtl: 15m", "maxTtl: [15m]", "[15m » `maxTtl` must be a text, not a list")]
    [InlineData(
        "impact: low                    #",
        "impact: none                   #",
        "none » `impact` must be one of low, medium, high"
    )]
    [InlineData("actions: [connect]", "actions: []", "[] » `actions` is empty")]
    [InlineData("billing TO \\\"{{name}}\\\"", "billing TO public", "\"GRANT » a grant names the user as")]
    [InlineData(
        "transfer: transfer.schema.json",
        "transfer: missing.json",
        "missing.json » there is no file missing.json beside the policy"
    )]
    [InlineData("transfer: transfer.schema.json", "transfer: /etc/passwd", "/etc » a schema's file is named relative")]
    [InlineData("effect: deny\n", "effect: deny\n    maxTtl: 5m\n", "5m » a deny rule takes no `maxTtl`")]
    [InlineData(
        "id: triage-connects",
        "id: triage-reads-billing",
        "triage-reads-billing » the id `triage-reads-billing` belongs to an earlier rule"
    )]
    [InlineData("id: triage-connects", "id: 'a b'", "'a b' » a name takes letters, digits")]
    [InlineData("    when: credential.category == \"secret-handling\"", "", "id: no-secret » `when` is missing")]
    [InlineData(
        "  payer:    {",
        "  triage:    {",
        "triage:    { » `triage` stands in `agents` twice|payer, » there is no agent `payer`"
    )]
    [InlineData("  payer:    {", "  payer: &anchor {", "&anchor » anchors (&name) are not accepted")]
    [InlineData(
        "apiVersion: credbroker/v1",
        "apiVersion: !!str credbroker/v1",
        "!!str » tags (!name) are not accepted"
    )]
    [InlineData(
        "agents: [payer, payments-executor]",
        "agents: *x",
        "*x » aliases (*name) are not accepted|*x » `agents` is missing"
    )]
    [InlineData("rules:\n", "---\nrules:\n", "--- » a policy is one document; a second begins here")]
    [InlineData(
        "identity.trustDomain ==",
        "identity.trustDomian ==",
        "trustDomian » no such field `identity.trustDomian`, did you mean `trustDomain`?"
    )]
    [InlineData(
        "identity.claims.azp",
        "identity.clams.azp",
        "clams » no such field `identity.clams`, did you mean `claims`?"
    )]
    [InlineData(
        "has(toolCall.arguments.amount)",
        "has(toolCal.arguments.amount)",
        "toolCal. » no such name `toolCal`, did you mean `toolCall`?"
    )]
    [InlineData(
        "toolCall.arguments.amount <= 50000",
        "toolCall.arguments.amount <=> 50000",
        "> 50000 » a value is missing"
    )]
    [InlineData(
        "credential.category == \"secret-handling\"",
        "credential.category",
        "credential.category » a condition must be true or false, not string"
    )]
    [InlineData("credential.category == \"secret-handling\"", "agent == 1", "== 1 » == does not take string and int")]
    public void A_fault_is_named_with_its_place(string old, string replacement, string wanted)
    {
        var text = Samples.Edited((old, replacement));

        var compilation = PolicyCompiler.Compile(Samples.Document(text));

        Assert.Null(compilation.Set);
        var found = compilation.Faults.Select(fault => (Place: TextAt(text, fault), fault.Message)).ToList();
        var expected = wanted.Split('|').Select(one => one.Split(" » ")).ToList();
        Assert.All(
            expected,
            one =>
                Assert.Contains(
                    found,
                    fault =>
                        fault.Place.StartsWith(one[0], StringComparison.Ordinal)
                        && fault.Message.StartsWith(one[1], StringComparison.Ordinal)
                )
        );
        Assert.Equal(expected.Count, found.Count);
    }

    [Fact]
    public void All_faults_are_reported_together_in_the_order_of_their_lines()
    {
        var compilation = PolicyCompiler.Compile(
            Samples.Document(
                Samples.Edited(
                    ("maxTtl: 15m", "maxTtl: soon"),
                    ("engine: pki", "engine: pkix"),
                    ("agents: [triage] ", "agents: [nobody] "),
                    ("credential.category == \"secret-handling\"", "nonsense (")
                )
            )
        );

        var lines = compilation.Faults.Select(fault => fault.Line).ToList();
        Assert.True(lines.Count >= 4);
        Assert.Equal(lines.Order(), lines);
    }

    [Theory]
    [InlineData("identity.workload == \"triage\"")]
    [InlineData("identity.claims.azp == \"payer\"")]
    [InlineData("identity.subject.startsWith(\"a\") || identity.issuer == \"https://x\"")]
    [InlineData("identity.instance == \"1\" && identity.trustDomain == \"\"")]
    [InlineData("identity.subject == \"a\" && identity.issuer != \"https://x\"")]
    [InlineData("identity.subject == \"a\" && identity.issuer == identity.subject")]
    [InlineData("identity.subject == \"a\" && !(identity.issuer == \"https://x\")")]
    [InlineData("has(identity.claims.x) && [1].all(x, identity.issuer == \"https://x\")")]
    public void A_condition_that_reads_what_another_issuer_could_mint_must_say_whose_it_is(string condition)
    {
        var compilation = PolicyCompiler.Compile(
            Samples.Document(Samples.Edited(("credential.category == \"secret-handling\"", condition)))
        );

        Assert.Contains(
            "does not say whose it is",
            Assert.Single(compilation.Faults).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_agent_fixes_the_source_only_if_its_own_condition_does()
    {
        var compilation = PolicyCompiler.Compile(
            Samples.Document(
                Samples.Edited(
                    (
                        "payer:    { member: 'identity.issuer == \"https://idp.acme.example\" "
                            + "&& identity.claims.azp == \"payer\"' }",
                        "payer: { member: 'identity.proof == \"oidc\"' }"
                    ),
                    ("credential.category == \"secret-handling\"", "agent == \"payer\" && identity.subject == \"x\"")
                )
            )
        );

        Assert.Contains(
            "does not say whose it is",
            Assert.Single(compilation.Faults).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_agents_condition_sees_the_identity_alone()
    {
        var compilation = PolicyCompiler.Compile(
            Samples.Document(
                Samples.Edited(
                    ("identity.trustDomain == \"acme.example\" && identity.workload == \"triage\"", "task.id == \"1\"")
                )
            )
        );

        Assert.Contains("no such name `task`", Assert.Single(compilation.Faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_document_over_one_mebibyte_is_refused() =>
        Assert.Equal(
            "a policy document has at most 1 MiB",
            Assert.Single(PolicyCompiler.Compile(Samples.Document(new string('#', (1024 * 1024) + 1))).Faults).Message
        );

    [Theory]
    [InlineData('[')]
    [InlineData('{')]
    public void Deep_nesting_is_a_fault_and_no_stack_overflow(char bracket) =>
        Assert.Contains(
            PolicyCompiler.Compile(Samples.Document(new string(bracket, 500_000))).Faults,
            fault => fault.Message.Contains("nests deeper", StringComparison.Ordinal)
        );

    [Fact]
    public void Half_a_surrogate_pair_is_no_text()
    {
        foreach (
            var (comment, isText) in new[] { ("# \ud800", false), ("# \udc00 \ud800", false), ("# \ud83d\ude00", true) }
        )
        {
            Assert.Equal(isText, PolicyCompiler.Compile(Samples.Document(Samples.Text + comment)).Set is not null);
            Assert.Equal(
                isText,
                ArgumentSchema.Load($$"""{"type":"object","title":"{{comment}}"}""", new List<string>()) is not null
            );
        }
    }

    [Fact]
    public void Many_faults_are_cut_off_with_a_word()
    {
        var rules = string.Concat(
            Enumerable.Range(0, 500).Select(index => $"  - {{ id: r{index}, effect: maybe, when: x }}\n")
        );
        var compilation = PolicyCompiler.Compile(Samples.Document(Samples.Text + rules));

        Assert.Equal(101, compilation.Faults.Count);
        Assert.Contains("more than 100 faults", compilation.Faults[^1].Message, StringComparison.Ordinal);
    }

    private static string TextAt(string text, PolicyFault fault) =>
        text.Split('\n')[fault.Line - 1][(fault.Column - 1)..];
}
