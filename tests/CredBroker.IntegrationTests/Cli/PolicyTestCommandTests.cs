using System.Text.Json;
using System.Xml.Linq;
using CredBroker.Cli;

namespace CredBroker.IntegrationTests.Cli;

public sealed class PolicyTestCommandTests : IDisposable
{
    private const string Policy = """
        apiVersion: credbroker/v1
        agents:
          triage: { member: 'identity.trustDomain == "acme.example" && identity.workload == "triage"' }
          payer: { member: 'identity.issuer == "https://idp.acme.example" && identity.claims.tier == 2' }
        processes:
          invoices:
            owner: { issuer: "https://login.acme.example", subject: jane, contact: jane@acme.example }
            toleratesRuntimeAction: true
            agents: [triage, payer]
        credentials:
          billing:
            vault: { engine: database, mount: database, role: cb-prod-billing }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 15m
          payments:
            vault: { engine: kv, mount: secret, path: payments }
            access: external
            impact: high
            reversible: false
            actions: [transfer]
            maxTtl: 2m
        rules:
          - id: triage-reads
            effect: allow
            when: agent == "triage" && credential.name == "billing"
          - id: payer-asks
            effect: challenge
            when: agent == "payer" && credential.name == "payments" && toolCall.arguments.amount < 100
            approval: { approvers: [owner, "group:leads", { issuer: "https://login.acme.example", subject: ada }], quorum: 2, expiresAfter: 5m, executor: triage }
        """;

    private const string Head = """
        apiVersion: credbroker/v1
        identities:
          triage: { spiffeId: "spiffe://acme.example/agents/triage/1", workload: triage, instance: "1" }
          payer: { issuer: "https://idp.acme.example", subject: p, instance: i, claims: { tier: 2 } }
        tests:

        """;

    private const string Reads = """
          - name: It reads
            given: { identity: triage, task: { process: invoices }, request: { credential: billing, actions: [read] } }
            expect: { effect: allow, rule: triage-reads, ttl: 15m }

        """;

    private const string Pays = """
          - name: It asks before it pays
            given:
              identity: payer
              task: { process: invoices }
              request: { credential: payments, actions: [transfer], toolCall: { name: transfer, arguments: { amount: 5 } } }
            expect:
              effect: challenge
              rule: payer-asks
              code: CB2008
              approvers: ["group:leads", { issuer: "https://login.acme.example", subject: ada }, owner]
              quorum: 2
              executor: triage
              ttl: 2m

        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("credbroker-policy-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Tests_that_hold_pass()
    {
        await WriteAsync(Head + Reads + Pays);

        var run = await RunAsync();

        Assert.Equal((0, "Passed: 2, failed: 0, files with faults: 0.\n"), (run.ExitCode, run.Error));
        Assert.Matches("(?m)^ok +allow +triage-reads +It reads$", run.Out);
        Assert.Matches("(?m)^ok +challenge +payer-asks +It asks before it pays$", run.Out);
    }

    [Theory]
    [InlineData("effect: allow", "effect: deny", "effect is allow, expected deny", "ttl: 15m", "code: CB2001")]
    [InlineData("rule: triage-reads", "rule: somebody-reads", "rule is triage-reads, expected somebody-reads")]
    [InlineData("ttl: 15m", "ttl: 14m", "ttl is 15m, expected 14m")]
    [InlineData(
        "effect: challenge",
        "effect: allow",
        "effect is challenge, expected allow",
        "code: CB2008",
        "",
        "approvers:",
        "",
        "quorum:",
        "",
        "executor:",
        ""
    )]
    [InlineData("code: CB2008", "code: CB2009", "code is CB2008, expected CB2009")]
    [InlineData(
        "\"group:leads\", ",
        "",
        "approvers is ada of https://login.acme.example, group:leads, jane of https://login.acme.example"
    )]
    [InlineData(
        "group:leads",
        "role:leads",
        "expected ada of https://login.acme.example, jane of https://login.acme.example, role:leads"
    )]
    [InlineData("quorum: 2", "quorum: 3", "quorum is 2, expected 3")]
    [InlineData("executor: triage", "executor: payer", "executor is triage, expected payer")]
    [InlineData("amount: 5", "amount: 100", "effect is deny, expected challenge")]
    [InlineData("credential: billing,", "credential: biling,", "code is CB2006, expected none")]
    [InlineData(
        "identity: triage,",
        "identity: { issuer: \"https://idp.acme.example\", subject: x, claims: { tier: \"2\" } },",
        "code is CB2004, expected none"
    )]
    public async Task What_is_not_as_expected_fails(string holds, string fails, string told, params string[] more)
    {
        var text = (Head + Reads + Pays).Replace(holds, fails, StringComparison.Ordinal);
        for (var at = 0; at < more.Length; at += 2)
        {
            text = string.Join(
                '\n',
                text.Split('\n')
                    .Where(line => more[at + 1].Length > 0 || !line.Contains(more[at], StringComparison.Ordinal))
                    .Select(line => line.Replace(more[at], more[at + 1], StringComparison.Ordinal))
            );
        }

        await WriteAsync(text);

        var run = await RunAsync();

        Assert.Equal(ExitCodes.FaultsFound, run.ExitCode);
        Assert.Equal("Passed: 1, failed: 1, files with faults: 0.\n", run.Error);
        Assert.Matches(
            $"(?m)^{Tests}:[0-9]+:5: failed: .*{System.Text.RegularExpressions.Regex.Escape(told)}",
            run.Out
        );
    }

    [Fact]
    public async Task A_denial_by_the_rules_needs_no_code_and_a_misspelt_name_does()
    {
        const string Denied = """
              - name: It does not pay
                given: { identity: triage, task: { process: invoices }, request: { credential: payments, actions: [transfer] } }
                expect: { effect: deny }

            """;
        await WriteAsync(Head + Denied);
        Assert.Equal(0, (await RunAsync()).ExitCode);

        foreach (
            var (name, misspelt) in new[]
            {
                ("invoices", "invoces"),
                ("payments", "payment"),
                ("transfer", "transfers"),
            }
        )
        {
            await WriteAsync(Head + Denied.Replace(name, misspelt, StringComparison.Ordinal));
            Assert.Equal(ExitCodes.FaultsFound, (await RunAsync()).ExitCode);
        }
    }

    [Fact]
    public async Task A_file_with_faults_is_told_by_place_and_the_others_still_run()
    {
        await WriteAsync(Head + Reads);
        var (odd, broken) = (Path.Combine(_folder, "odd.test.yaml"), Path.Combine(_folder, "broken.yaml"));
        await File.WriteAllTextAsync(odd, (Head + Reads).Replace("ttl: 15m", "tll: 15m", StringComparison.Ordinal));
        await File.WriteAllTextAsync(broken, Policy.Replace("impact: low", "impact: tiny", StringComparison.Ordinal));
        await File.WriteAllTextAsync(Path.Combine(_folder, "broken.test.yaml"), Head + Reads);
        await File.WriteAllTextAsync(Path.Combine(_folder, "lonely.test.yaml"), Head + Reads);

        var run = await RunAsync();

        Assert.Equal(ExitCodes.FaultsFound, run.ExitCode);
        Assert.Contains($"{odd}:8:50: error: `expect` has no key `tll`", run.Out, StringComparison.Ordinal);
        Assert.Contains($"{broken}:14:", run.Out, StringComparison.Ordinal);
        Assert.Contains("lonely.test.yaml: error: there is no policy ", run.Out, StringComparison.Ordinal);
        Assert.Equal("Passed: 1, failed: 0, files with faults: 3.\n", run.Error);
    }

    [Fact]
    public async Task A_file_of_another_name_says_which_policy_it_tests()
    {
        await WriteAsync(Head + Reads);
        var other = Path.Combine(_folder, "other.yml");
        await File.WriteAllTextAsync(other, Head + Reads);
        Assert.Contains("add `policy: FILE`", (await RunAsync(other)).Out, StringComparison.Ordinal);

        await File.WriteAllTextAsync(other, $"policy: policy.yaml\n{Head}{Reads}");
        Assert.Equal(0, (await RunAsync(other)).ExitCode);
    }

    [Fact]
    public async Task Where_nothing_is_tested_nothing_is_well()
    {
        Assert.Equal(ExitCodes.Usage, (await RunAsync(_folder)).ExitCode);
        Assert.Equal(ExitCodes.Usage, (await RunAsync(Path.Combine(_folder, "none.test.yaml"))).ExitCode);

        await WriteAsync("apiVersion: credbroker/v1\ntests: []\n");
        var run = await RunAsync();
        Assert.Equal(ExitCodes.FaultsFound, run.ExitCode);
        Assert.Contains($"{Tests}:2:8: error: `tests` is empty", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_named_twice_runs_once()
    {
        await WriteAsync(Head + Reads);
        Assert.StartsWith("Passed: 1,", (await RunAsync(Tests, _folder, Tests)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_whole_result_is_told_to_programs()
    {
        await WriteAsync(Head + Reads + Pays.Replace("ttl: 2m", "ttl: 1m", StringComparison.Ordinal));

        var run = await RunAsync(Tests, "--output", "json");

        var report = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal(
            (5, 1, 1, 0),
            (
                run.ExitCode,
                report.GetProperty("passed").GetInt32(),
                report.GetProperty("failed").GetInt32(),
                report.GetProperty("faulty").GetInt32()
            )
        );
        var failed = report.GetProperty("files")[0].GetProperty("tests")[1];
        Assert.Equal("It asks before it pays", failed.GetProperty("name").GetString());
        Assert.False(failed.GetProperty("passed").GetBoolean());
        Assert.Equal(
            ("ttl", "1m", "2m"),
            failed.GetProperty("differences")[0] is var one
                ? (
                    one.GetProperty("what").GetString(),
                    one.GetProperty("expected").GetString(),
                    one.GetProperty("actual").GetString()
                )
                : default
        );
    }

    [Fact]
    public async Task A_CI_server_can_read_the_results()
    {
        await WriteAsync(
            Head
                + Reads.Replace("It reads", "\"<It> & \\uFFFE reads\"", StringComparison.Ordinal)
                + Pays.Replace("ttl: 2m", "ttl: 1m", StringComparison.Ordinal)
        );
        var odd = Path.Combine(_folder, "odd.test.yaml");
        await File.WriteAllTextAsync(odd, "apiVersion: credbroker/v1\ntests: []\n");
        var junit = Path.Combine(_folder, "junit.xml");
        await File.WriteAllTextAsync(junit, "of the run before");

        Assert.Equal(ExitCodes.FaultsFound, (await RunAsync(_folder, "--junit", junit)).ExitCode);

        var root = XDocument.Load(junit).Root!;
        Assert.Equal(("3", "1", "1"), Counts(root));
        Assert.Equal([("1", "0", "1"), ("2", "1", "0")], root.Elements().Select(Counts));
        Assert.Equal(
            "`tests` is empty: nothing would be tested",
            root.Descendants("error").Single().Attribute("message")!.Value.Split(": ", 2)[1]
        );
        var cases = root.Elements().Last().Elements("testcase").ToList();
        Assert.Equal("<It> & \uFFFD reads", cases[0].Attribute("name")!.Value);
        Assert.Empty(cases[0].Elements());
        Assert.Equal("ttl is 2m, expected 1m", cases[1].Element("failure")!.Attribute("message")!.Value);
        Assert.Equal(Tests, cases[1].Attribute("classname")!.Value);
    }

    private static (string, string, string) Counts(XElement element) =>
        (element.Attribute("tests")!.Value, element.Attribute("failures")!.Value, element.Attribute("errors")!.Value);

    private string Tests => Path.Combine(_folder, "policy.test.yaml");

    private async Task WriteAsync(string tests)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "policy.yaml"), Policy);
        await File.WriteAllTextAsync(Tests, tests);
    }

    /// <summary>On the folder, where nothing is named.</summary>
    private Task<CliRun> RunAsync(params string[] args) =>
        CliRun.RunAsync(new Dictionary<string, string>(), ["policy", "test", .. args.Length == 0 ? [_folder] : args]);
}
