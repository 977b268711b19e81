using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Policy.Testing;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Policy;

/// <summary>Files of policy tests: what is read of them, and every fault with its place.</summary>
public sealed class PolicyTestFileTests
{
    private const string Text = """
        apiVersion: credbroker/v1
        policy: ../policy.yaml
        identities:
          triage: { spiffeId: "spiffe://acme.example/agents/triage/7", workload: triage, instance: "7" }
        tests:
          - name: It transfers
            given:
              identity: triage
              task: { process: payments, id: t-1, purpose: pay }
              request:
                credential: payments-api-key
                actions: [transfer]
                resource: r
                ttl: 90s
                params: { tenant: acme, year: 2026 }
                toolCall:
                  name: transfer
                  arguments: { amount: 4.50, iban: "12", ok: true, day: 2026-11-29, gap: _, none: null, list: [1, -2e3, x], deep: { a: 007-x } }
            expect: { effect: challenge, rule: a-rule, ttl: 2m, code: CB2008, approvers: [owner, "group:a b", "role:admin"], executor: payer, quorum: 3 }
        """;

    [Fact]
    public void A_test_is_read_whole()
    {
        var file = Read(Text);

        Assert.Equal("../policy.yaml", file.Policy);
        var test = Assert.Single(file.Tests);
        Assert.Equal(("It transfers", 6, 5), (test.Name, test.Line, test.Column));
        Assert.Equal(
            (
                ProofMethod.JwtSvid,
                "spiffe://acme.example",
                "spiffe://acme.example/agents/triage/7",
                "spiffe://acme.example/agents/triage/7",
                "acme.example",
                "triage",
                "7"
            ),
            test.Identity is var who
                ? (who.Proof, who.Issuer, who.Subject, who.SpiffeId, who.TrustDomain, who.Workload, who.Instance)
                : default
        );
        Assert.Equal(("t-1", "payments", "pay"), (test.Task.Id, test.Task.Process, test.Task.Purpose));
        Assert.Equal(
            ("payments-api-key", "transfer", "r", TimeSpan.FromSeconds(90), "transfer"),
            (
                test.Request.Credential,
                Assert.Single(test.Request.Actions),
                test.Request.Resource,
                test.Request.Ttl,
                test.Request.ToolCall!.Name
            )
        );
        Assert.Equal(new Dictionary<string, string> { ["tenant"] = "acme", ["year"] = "2026" }, test.Request.Params);
        Assert.Equal(
            """{"amount":4.50,"iban":"12","ok":true,"day":"2026-11-29","gap":"_","none":null,"list":[1,-2e3,"x"],"deep":{"a":"007-x"}}""",
            test.Request.ToolCall!.Arguments.GetRawText()
        );
        Assert.Equal(
            (PolicyEffect.Challenge, "a-rule", TimeSpan.FromMinutes(2), "CB2008", "payer"),
            (test.Expected.Effect, test.Expected.Rule, test.Expected.Ttl, test.Expected.Code, test.Expected.Executor)
        );
        Assert.Equal(3, test.Expected.Quorum);
        Assert.Equal([null, new Approver.Group("a b"), new Approver.Role("admin")], test.Expected.Approvers!);
    }

    [Fact]
    public void An_identity_of_an_issuer_is_written_out_and_what_is_left_out_is_as_the_broker_has_it()
    {
        var test = Assert.Single(
            Read(
                """
                apiVersion: credbroker/v1
                tests:
                  - name: n
                    given:
                      identity: { issuer: "https://i", subject: s, claims: { azp: payer, groups: [a] } }
                      task: { process: p }
                      request: { credential: c, actions: [] }
                    expect: { effect: deny }
                """
            ).Tests
        );

        Assert.Equal(
            (ProofMethod.Oidc, "https://i", "s", "s", "", "", ""),
            test.Identity is var who
                ? (who.Proof, who.Issuer, who.Subject, who.Workload, who.Instance, who.SpiffeId, who.TrustDomain)
                : default
        );
        Assert.Equal("""["a"]""", test.Identity.Claims["groups"].GetRawText());
        Assert.Equal(("test", "test"), (test.Task.Id, test.Task.Purpose));
        Assert.Equal((null, "", null), (test.Request.Ttl, test.Request.Resource, test.Request.ToolCall));
        Assert.Equal(new PolicyExpectation(PolicyEffect.Deny), test.Expected);
    }

    [Fact]
    public void The_workload_of_a_spiffe_id_is_the_path_where_it_is_left_out()
    {
        var test = Assert.Single(Read(Text.Replace(" workload: triage,", "", StringComparison.Ordinal)).Tests);

        Assert.Equal("/agents/triage/7", test.Identity.Workload);
    }

    [Theory]
    [InlineData("policy: ../", "polcy: ../", 2, 1, "a test file has no key `polcy`, did you mean `policy`?")]
    [InlineData(
        "workload: triage",
        "wrkload: triage",
        4,
        64,
        "an identity has no key `wrkload`, did you mean `workload`?"
    )]
    [InlineData("  - name: It", "  - nme: It", 6, 5, "`name` is missing")]
    [InlineData(
        "identity: triage",
        "identity: tirage",
        8,
        17,
        "`identities` has no `tirage`, did you mean `triage`?; an identity can also be written out here"
    )]
    [InlineData("task: { process", "task: { proces", 9, 15, "a task has no key `proces`, did you mean `process`?")]
    [InlineData("resource: r", "resorce: r", 13, 9, "a request has no key `resorce`, did you mean `resource`?")]
    [InlineData("name: transfer", "nme: transfer", 17, 11, "a tool call has no key `nme`, did you mean `name`?")]
    [InlineData("ttl: 2m", "tll: 2m", 19, 48, "`expect` has no key `tll`, did you mean `ttl`?")]
    [InlineData(
        "ttl: 90s",
        "ttl: ninety",
        14,
        14,
        "`ttl` must be a whole number of s, m or h up to 768h, such as 90s, 10m or 2h"
    )]
    [InlineData("resource: r", "credential: r", 13, 9, "the key `credential` stands here twice")]
    [InlineData("purpose: pay", "process: pay", 9, 43, "the key `process` stands here twice")]
    [InlineData("iban: \"12\"", "amount: 1", 18, 38, "the key `amount` stands here twice")]
    [InlineData("deep: { a: 007-x }", "deep: { a: 1, a: 2 }", 18, 131, "the key `a` stands here twice")]
    [InlineData(
        "amount: 4.50",
        "amount: 9007199254740993",
        18,
        32,
        "a number beyond ±2^53 is not accepted; write it in quotes, as a text"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: 99999999999999999999",
        18,
        32,
        "a number beyond ±2^53 is not accepted; write it in quotes, as a text"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: 0x10",
        18,
        32,
        "YAML and JSON read `0x10` differently: write it as JSON does, or in quotes"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: +5",
        18,
        32,
        "YAML and JSON read `+5` differently: write it as JSON does, or in quotes"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: 012",
        18,
        32,
        "YAML and JSON read `012` differently: write it as JSON does, or in quotes"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: 1_000",
        18,
        32,
        "YAML and JSON read `1_000` differently: write it as JSON does, or in quotes"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: yes",
        18,
        32,
        "YAML and JSON read `yes` differently: write it as JSON does, or in quotes"
    )]
    [InlineData(
        "amount: 4.50",
        "amount: .nan",
        18,
        32,
        "YAML and JSON read `.nan` differently: write it as JSON does, or in quotes"
    )]
    [InlineData("amount: 4.50", "amount: 1e30", 18, 32, "a number beyond ±2^53 is not accepted")]
    [InlineData("amount: 4.50", "amount: 9007199254740992.5", 18, 32, "a number beyond ±2^53 is not accepted")]
    [InlineData("{ tenant: acme", "{ 1tenant: acme", 15, 19, "a parameter's name is a letter")]
    [InlineData("{ tenant: acme", "{ tenant: a/b", 15, 27, "a parameter's value is 1 to 128 letters")]
    [InlineData("{ tenant: acme", "{ tenant: null", 15, 27, "a parameter's value is 1 to 128 letters")]
    [InlineData("{ tenant: acme", "{ tenant: [a]", 15, 27, "a parameter's value is 1 to 128 letters")]
    [InlineData("{ tenant: acme", "{ year: 1", 15, 28, "`year` stands in `params` twice")]
    [InlineData("{ tenant: acme, year: 2026 }", "[acme]", 15, 17, "`params` must be a mapping of at most 8")]
    [InlineData("iban: \"12\"", "iban: \"a\\0\"", 18, 44, "the text holds U+0000 or half of a surrogate pair")]
    [InlineData("effect: challenge", "effect: allow", 19, 59, "what is allowed is told no code: leave `code` out")]
    [InlineData("CB2008", "CB9999", 19, 63, "there is no refusal code `CB9999`")]
    [InlineData(
        "owner, ",
        "ownr, ",
        19,
        83,
        "an approver is \"group:NAME\", \"role:NAME\", owner, or { issuer, subject }"
    )]
    [InlineData("spiffe://acme", "spiffe:/acme", 4, 23, "`spiffeId`:")]
    [InlineData("{ spiffeId", "{ issuer: i, spiffeId", 4, 21, "`issuer` follows from `spiffeId`: leave it out")]
    [InlineData("\ntests:", "\ntests: []\nmore:", 5, 8, "`tests` is empty: nothing would be tested")]
    [InlineData("credbroker/v1", "credbroker/v2", 1, 13, "`apiVersion` must be one of credbroker/v1")]
    public void A_fault_is_told_with_its_place(string holds, string fails, int line, int column, string message)
    {
        Assert.Contains(holds, Text, StringComparison.Ordinal);

        var (file, faults) = PolicyTestFile.Read(Text.Replace(holds, fails, StringComparison.Ordinal));

        Assert.Null(file);
        Assert.Contains(
            faults,
            fault =>
                (fault.Line, fault.Column) == (line, column)
                && fault.Message.StartsWith(message, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("deny", "ttl: 5m", "a denial grants nothing")]
    [InlineData("deny", "approvers: [owner]", "only a challenge asks people")]
    [InlineData("allow", "approvers: [owner]", "only a challenge asks people")]
    [InlineData("allow", "quorum: 2", "only a challenge asks people")]
    [InlineData("challenge", "quorum: 0", "`quorum` must be a whole number from 1 to 32")]
    [InlineData("allow", "executor: x", "only a challenge has an executor")]
    [InlineData("challenge", "approvers: []", "`approvers` must be a list, and not an empty one")]
    public void What_no_decision_can_be_is_not_expected(string effect, string more, string message)
    {
        var (_, faults) = PolicyTestFile.Read(
            $$"""
            apiVersion: credbroker/v1
            tests:
              - name: n
                given: { identity: { issuer: i, subject: s }, task: { process: p }, request: { credential: c, actions: [a] } }
                expect: { effect: {{effect}}, {{more}} }
            """
        );
        Assert.StartsWith(message, Assert.Single(faults).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_tests_of_one_name_cannot_be_told_apart()
    {
        const string One = """
              - name: n
                given: { identity: { issuer: i, subject: s }, task: { process: p }, request: { credential: c, actions: [a] } }
                expect: { effect: deny }

            """;
        var (_, faults) = PolicyTestFile.Read($"apiVersion: credbroker/v1\ntests:\n{One}{One}");
        Assert.Equal("line 6, column 11: another test has this name", Assert.Single(faults).ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("tests")]
    [InlineData("apiVersion: credbroker/v1\ntests: {}\n")]
    [InlineData("apiVersion: credbroker/v1\ntests: [1, [], null]\n")]
    [InlineData(
        "apiVersion: credbroker/v1\nidentities: []\ntests: [{ name: n, given: { identity: [], task: [], request: [] }, expect: [] }]\n"
    )]
    [InlineData("apiVersion: credbroker/v1\ntests: [{ name: n, given: 1, expect: }]\n")]
    [InlineData("apiVersion: credbroker/v1\ntests: [&a { name: n }, *a]\n")]
    public void What_is_no_test_file_is_a_fault_and_no_crash(string text)
    {
        var (file, faults) = PolicyTestFile.Read(text);
        Assert.Null(file);
        Assert.NotEmpty(faults);
    }

    /// <summary>
    /// The editors' schema stays within the subset that the broker's own checker knows, so the checker can judge it.
    /// </summary>
    [Fact]
    public void Every_sample_fits_the_schema_for_editors_and_a_misspelt_key_does_not()
    {
        var faults = new List<string>();
        var schema = ArgumentSchema.Load(PolicyManual.ReadTestSchema(), faults)!;
        Assert.Empty(faults);

        var samples = Directory.GetFiles(Path.Combine(Repository.Root, "samples", "policies"), "*.test.yaml");
        Assert.NotEmpty(samples);
        Assert.All(samples.Select(File.ReadAllText).Append(Text), text => Assert.Null(Check(text)));
        foreach (
            var key in new[]
            {
                "policy",
                "identities",
                "spiffeId",
                "workload",
                "instance",
                "given",
                "task",
                "process",
                "purpose",
                "request",
                "credential",
                "resource",
                "ttl",
                "params",
                "toolCall",
                "arguments",
                "expect",
                "effect",
                "rule",
                "code",
                "approvers",
                "quorum",
                "executor",
            }
        )
        {
            var misspelt = Text.Replace($"{key}: ", $"{key}x: ", StringComparison.Ordinal)
                .Replace($"{key}:\n", $"{key}x:\n", StringComparison.Ordinal);
            Assert.True(Check(misspelt) is not null, key);
            Assert.Null(PolicyTestFile.Read(misspelt).File);
        }

        string? Check(string text)
        {
            var none = new PolicyFaultList();
            return schema.Check(new YamlJson(none).ObjectOf(YamlTree.Read(text, none), ""));
        }
    }

    private static PolicyTestFile Read(string text)
    {
        var (file, faults) = PolicyTestFile.Read(text);
        Assert.Empty(faults);
        return file!;
    }
}
