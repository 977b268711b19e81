using System.Text.Json;
using CredBroker.Client;

namespace CredBroker.IntegrationTests.Cli;

public sealed class PolicyCommandTests
{
    private const string Policy = """
        apiVersion: credbroker/v1
        agents:
          triage: { member: 'identity.trustDomain == "acme.example" && identity.workload == "triage"' }
        processes:
          invoice-triage:
            owner: { issuer: "https://idp.acme.example", subject: "4afe0119", contact: finance-ops@acme.example }
            toleratesRuntimeAction: true
            agents: [triage]
        credentials:
          billing-readonly:
            vault: { engine: database, mount: database, role: cb-prod-billing-readonly }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 15m
            connection: { host: billing-db, port: 5432, database: billing, sslmode: verify-full }
        rules:
          - id: triage-reads-billing
            effect: allow
            when: agent == "triage" && credential.name == "billing-readonly"
            maxTtl: 10m
        """;

    [Fact]
    public async Task A_good_document_has_no_faults()
    {
        await using var cli = await CliFixture.StartAsync();
        var policy = Path.Combine(cli.Folder, "policy.yaml");
        await File.WriteAllTextAsync(policy, Policy);

        var run = await cli.RunAsync("policy", "lint", policy);

        Assert.Equal((0, ""), (run.ExitCode, run.Out));
        Assert.StartsWith(
            "No faults; warnings: 0, processes: 1, credentials: 1, hash: ",
            run.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task All_faults_are_told_at_once_with_their_places()
    {
        await using var cli = await CliFixture.StartAsync();
        var policy = Path.Combine(cli.Folder, "policy.yaml");
        await File.WriteAllTextAsync(
            policy,
            Policy
                .Replace("identity.workload", "identity.wrkload", StringComparison.Ordinal)
                .Replace("impact: low", "impact: tiny", StringComparison.Ordinal)
        );

        var run = await cli.RunAsync("policy", "lint", policy);
        var json = await cli.RunAsync("policy", "lint", policy, "-o", "json");

        Assert.Equal((5, 5), (run.ExitCode, json.ExitCode));
        Assert.Contains($"{policy}:3:", run.Out, StringComparison.Ordinal);
        Assert.Contains($"{policy}:13:", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"  13 \|     impact: tiny\r?\n     \|             \^", run.Out);
        Assert.StartsWith("Faults: 2.", run.Error, StringComparison.Ordinal);
        Assert.Equal(
            [3, 13],
            JsonDocument
                .Parse(json.Out)
                .RootElement.EnumerateArray()
                .Select(finding => finding.GetProperty("line").GetInt32())
        );
        var request = Path.Combine(cli.Folder, "request.json");
        await File.WriteAllTextAsync(request, (await cli.RunAsync("policy", "evaluate", "--example")).Out);
        Assert.Contains(
            "credbroker policy lint",
            (await cli.RunAsync("policy", "evaluate", request, "--policy", policy)).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_warning_is_a_fault_only_when_asked_for()
    {
        await using var cli = await CliFixture.StartAsync();
        var policy = Path.Combine(cli.Folder, "policy.yaml");
        await File.WriteAllTextAsync(
            policy,
            string.Join('\n', Policy.Split('\n').Where(line => !line.Contains("owner:", StringComparison.Ordinal)))
        );

        var run = await cli.RunAsync("policy", "lint", policy);

        Assert.Contains("warning:", run.Out, StringComparison.Ordinal);
        Assert.Equal((0, 5), (run.ExitCode, (await cli.RunAsync("policy", "lint", policy, "--strict")).ExitCode));
        Assert.Equal(2, (await cli.RunAsync("policy", "lint", policy + ".none")).ExitCode);
    }

    [Fact]
    public async Task The_example_request_is_decided_offline_and_explained()
    {
        await using var cli = await CliFixture.StartAsync();
        var (policy, request) = (Path.Combine(cli.Folder, "policy.yaml"), Path.Combine(cli.Folder, "request.json"));
        await File.WriteAllTextAsync(policy, Policy);
        await File.WriteAllTextAsync(request, (await cli.RunAsync("policy", "evaluate", "--example")).Out);

        var run = await cli.RunAsync("policy", "evaluate", request, "--policy", policy);

        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Matches("Effect +allow", run.Out);
        Assert.Matches("Rule +triage-reads-billing", run.Out);
        Assert.Matches("Life +10m; at most 10m with renewals", run.Out);
        Assert.Empty(cli.Broker.Calls);
    }

    [Fact]
    public async Task What_is_not_allowed_exits_with_3_and_says_what_the_agent_is_told()
    {
        await using var cli = await CliFixture.StartAsync();
        var (policy, request) = (Path.Combine(cli.Folder, "policy.yaml"), Path.Combine(cli.Folder, "request.json"));
        await File.WriteAllTextAsync(
            policy,
            Policy
                .Replace("effect: allow", "effect: deny", StringComparison.Ordinal)
                .Replace("    maxTtl: 10m", "", StringComparison.Ordinal)
        );
        await File.WriteAllTextAsync(request, (await cli.RunAsync("policy", "evaluate", "--example")).Out);

        var run = await cli.RunAsync("policy", "evaluate", request, "--policy", policy, "--output", "json");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal(
            ("deny", "CB2002"),
            JsonSerializer.Deserialize(run.Out, BrokerJson.Default.EvaluateResponse) is { } answer
                ? (answer.Effect, answer.Code)
                : default
        );
    }

    [Fact]
    public async Task A_challenge_exits_with_3_and_says_who_would_be_asked()
    {
        await using var cli = await CliFixture.StartAsync();
        var (policy, request) = (Path.Combine(cli.Folder, "policy.yaml"), Path.Combine(cli.Folder, "request.json"));
        await File.WriteAllTextAsync(
            policy,
            Policy.Replace(
                "effect: allow",
                "effect: challenge\n    approval: { approvers: [\"group:dbas\", { issuer: i, subject: s }], quorum: 2, "
                    + "expiresAfter: 90m, notOwner: true, executor: triage }",
                StringComparison.Ordinal
            )
        );
        await File.WriteAllTextAsync(request, (await cli.RunAsync("policy", "evaluate", "--example")).Out);

        var run = await cli.RunAsync("policy", "evaluate", request, "--policy", policy);

        Assert.Equal((3, ""), (run.ExitCode, run.Error));
        Assert.Matches("Effect +challenge", run.Out);
        Assert.Matches(
            "Asks +2 of group dbas, s of i, but not 4afe0119 of https://idp.acme.example; for 90m; "
                + @"only triage may redeem it \(rule triage-reads-billing\)",
            run.Out
        );
        Assert.Matches("The agent is told +CB2008", run.Out);
    }

    [Fact]
    public async Task Without_a_document_the_broker_is_asked()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "POST /v1/policy/evaluate",
            new()
            {
                Effect = "allow",
                PolicyVersion = 7,
                PolicyHash = "abc",
                MatchedRules = ["r"],
                Gate = [new("owner", true)],
            },
            BrokerJson.Default.EvaluateResponse
        );
        var request = Path.Combine(cli.Folder, "request.json");
        await File.WriteAllTextAsync(request, (await cli.RunAsync("policy", "evaluate", "--example")).Out);

        var run = await cli.RunAsync("policy", "evaluate", request);

        Assert.Equal(0, run.ExitCode);
        Assert.Matches("Policy +version 7, abc", run.Out);
        Assert.Matches("Gate +owner holds", run.Out);
        Assert.Contains("billing-readonly", Assert.Single(cli.Broker.Calls).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"identity":""", "cannot be read")]
    [InlineData("""{"idntity":{}}""", "cannot be read")]
    [InlineData("null", "cannot be read")]
    public async Task A_request_that_cannot_be_read_is_a_usage_fault(string request, string text)
    {
        await using var cli = await CliFixture.StartAsync();
        var file = Path.Combine(cli.Folder, "request.json");
        await File.WriteAllTextAsync(file, request);

        var run = await cli.RunAsync("policy", "evaluate", file);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
        Assert.Contains("--example", run.Error, StringComparison.Ordinal);
    }
}
