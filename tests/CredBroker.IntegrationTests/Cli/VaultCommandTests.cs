using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Cli.Commands.Credentials;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;

namespace CredBroker.IntegrationTests.Cli;

/// <summary><c>vault setup</c> and <c>vault check</c> as an operator runs them, on a real OpenBao.</summary>
public sealed class VaultCommandTests
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
          api-key:
            vault: { engine: kv, mount: secret, path: payments/api-key }
            access: read
            impact: low
            reversible: true
            actions: [read]
            maxTtl: 15m
          agent-mtls:
            vault: { engine: pki, mount: pki, role: cb-prod-agent-mtls, setup: { allowedUris: ["spiffe://acme.example/*"] } }
            names: { uri: "{{identity.spiffeId}}" }
            access: read
            impact: low
            reversible: true
            actions: [connect]
            maxTtl: 10m
        rules:
          - id: triage
            effect: allow
            when: agent == "triage"
        """;

    private static readonly string[] Installation = ["--installation", "prod"];

    [Theory]
    [InlineData("calls", "POST /v1/pki/roles/cb-prod-agent-mtls")]
    [InlineData("sh", "write_policy 'cb-prod-broker'")]
    [InlineData("hcl", "then: bao policy write cb-prod-broker cb-prod-broker.hcl")]
    [InlineData("terraform", "resource \"vault_policy\"")]
    public async Task What_the_catalogue_needs_is_printed_without_asking_any_Vault(string format, string text)
    {
        await using var cli = await CliFixture.StartAsync();

        var run = await cli.RunAsync([
            "vault",
            "setup",
            "--policy",
            await PolicyAsync(cli),
            .. Installation,
            "--format",
            format,
        ]);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains(text, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_catalogue_that_lacks_something_says_what_to_write()
    {
        await using var cli = await CliFixture.StartAsync();

        var run = await cli.RunAsync([
            "vault",
            "setup",
            "--policy",
            await PolicyAsync(
                cli,
                Policy.Replace(", setup: { allowedUris: [\"spiffe://acme.example/*\"] }", "", StringComparison.Ordinal)
            ),
            .. Installation,
        ]);

        Assert.Equal((5, ""), (run.ExitCode, run.Out));
        Assert.Contains("allowedUris", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_Vault_is_compared_prepared_and_checked()
    {
        await using var bao = await TestBao.StartAsync();
        await using var cli = await CliFixture.StartAsync();
        var policy = await PolicyAsync(cli);
        var environment = cli.Environment;
        (environment["VAULT_ADDR"], environment["VAULT_TOKEN"]) = (bao.Address.ToString(), bao.RootToken);
        Task<CliRun> RunAsync(params string[] args) =>
            CliRun.RunAsync(environment, ["vault", .. args, "--policy", policy, .. Installation]);

        var compared = await RunAsync("setup", "--compare");
        Assert.Equal(5, compared.ExitCode);
        Assert.Contains("--apply makes them", compared.Error, StringComparison.Ordinal);

        var applied = await RunAsync("setup", "--apply");
        Assert.Equal(0, applied.ExitCode);
        Assert.Contains("Done:", applied.Error, StringComparison.Ordinal);
        Assert.Contains("Note: The broker's token:", applied.Error, StringComparison.Ordinal);

        var again = await RunAsync("setup", "--apply", "--output", "json");
        Assert.All(
            JsonDocument.Parse(again.Out).RootElement.EnumerateArray(),
            finding => Assert.Equal("present", finding.GetProperty("state").GetString())
        );

        var token = Path.Combine(cli.Folder, "broker-token");
        var made = await bao.SendAsync(HttpMethod.Post, "auth/token/create/cb-prod-broker", new JsonObject());
        await File.WriteAllTextAsync(token, made.GetProperty("auth").GetProperty("client_token").GetString());

        var check = await RunAsync("check", "--token-file", token);
        Assert.True(check.ExitCode == 0, check.Error);
        Assert.Matches("All [0-9]+ checks passed", check.Error);

        // The broker says where its store's secrets are: here, and elsewhere.
        foreach (var (installation, exitCode) in new[] { ("prod", 0), ("staging", 5) })
        {
            cli.Broker.On(
                "GET /v1/vault/cluster",
                new()
                {
                    AcceptedInstallation = installation,
                    AcceptedNamespace = "",
                    KeepsFromIssuing = false,
                },
                BrokerJson.Default.VaultClusterResponse
            );
            var asked = await RunAsync(
                "check",
                "--token-file",
                token,
                "--server",
                environment["CREDBROKER_SERVER"],
                "--admin-token-file",
                cli.TokenFile
            );
            Assert.True(asked.ExitCode == exitCode, asked.Out + asked.Error);
            Assert.Equal(
                exitCode != 0,
                (asked.Out + asked.Error).Contains(
                    "the installation \"staging\", not \"prod\"",
                    StringComparison.Ordinal
                )
            );
        }

        await bao.SendAsync(HttpMethod.Delete, "auth/token/roles/cb-prod-agent-mtls");
        var broken = await RunAsync("check", "--token-file", token);
        Assert.Equal(5, broken.ExitCode);
        Assert.Contains("credbroker vault setup", broken.Error, StringComparison.Ordinal);
        foreach (var run in new[] { compared, applied, again, check, broken })
        {
            Assert.DoesNotContain(await File.ReadAllTextAsync(token), run.Out + run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_changed_catalogue_is_shown_as_a_difference_and_then_applied()
    {
        await using var bao = await TestBao.StartAsync();
        await using var cli = await CliFixture.StartAsync();
        var environment = cli.Environment;
        (environment["VAULT_ADDR"], environment["VAULT_TOKEN"]) = (bao.Address.ToString(), bao.RootToken);
        async Task<CliRun> RunAsync(string policy, params string[] args) =>
            await CliRun.RunAsync(
                environment,
                ["vault", "setup", .. args, "--policy", await PolicyAsync(cli, policy), .. Installation]
            );
        Assert.Equal(0, (await RunAsync(Policy, "--apply")).ExitCode);
        var changed = Policy
            .Replace("payments/api-key", "payments/other-key", StringComparison.Ordinal)
            .Replace("spiffe://acme.example/*", "spiffe://acme.example/agents/*", StringComparison.Ordinal);

        var compared = await RunAsync(changed, "--compare");

        Assert.Equal(5, compared.ExitCode);
        string[] lines = [.. compared.Out.Split('\n').Select(line => line.TrimEnd())];
        Assert.Contains("sys/policies/acl/cb-prod-broker (is changed by --apply)", lines);
        Assert.Contains("  - path \"secret/data/payments/api-key\" {", lines);
        Assert.Contains("  + path \"secret/data/payments/other-key\" {", lines);
        Assert.Contains(
            "  allowed_uri_sans: [\"spiffe://acme.example/*\"] → [\"spiffe://acme.example/agents/*\"]",
            lines
        );
        Assert.Contains("2 outdated (--apply changes them)", compared.Error, StringComparison.Ordinal);

        var applied = await RunAsync(changed, "--apply");

        Assert.Equal(0, applied.ExitCode);
        Assert.Contains("+ path \"secret/data/payments/other-key\" {", applied.Error, StringComparison.Ordinal);
        Assert.Contains("Done: 0 made, 2 updated", applied.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(changed, "--compare")).ExitCode);

        // An entry that leaves the catalogue leaves its things.
        var less = changed.Replace("engine: pki", "engine: kv, path: a/b", StringComparison.Ordinal);
        less =
            less[..less.IndexOf("  agent-mtls:", StringComparison.Ordinal)]
            + less[less.IndexOf("rules:", StringComparison.Ordinal)..];
        var leftOver = await RunAsync(less, "--compare");
        Assert.Contains("Left over: pki/roles/cb-prod-agent-mtls", leftOver.Error, StringComparison.Ordinal);
        Assert.Contains("bao delete sys/policies/acl/cb-prod-agent-mtls", leftOver.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Policy_files_are_written_where_they_are_asked_for()
    {
        await using var cli = await CliFixture.StartAsync();
        var folder = Path.Combine(cli.Folder, "policies");
        string[] args = ["vault", "setup", "--policy", await PolicyAsync(cli), .. Installation, "--out", folder];

        var run = await cli.RunAsync([.. args, "--format", "hcl"]);
        var wrong = await cli.RunAsync(args);

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            ["cb-prod-agent-mtls.hcl", "cb-prod-broker.hcl", "cb-prod-probe.hcl"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("--format hcl", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_that_the_broker_does_not_know_is_found_and_revoked()
    {
        await using var bao = await TestBao.StartAsync();
        await using var cli = await CliFixture.StartAsync();
        var (policy, token) = (await PolicyAsync(cli), Path.Combine(cli.Folder, "broker-token"));
        var environment = cli.Environment;
        (environment["VAULT_ADDR"], environment["VAULT_TOKEN"]) = (bao.Address.ToString(), bao.RootToken);
        Assert.Equal(
            0,
            (
                await CliRun.RunAsync(environment, ["vault", "setup", "--apply", "--policy", policy, .. Installation])
            ).ExitCode
        );
        var made = await bao.SendAsync(HttpMethod.Post, "auth/token/create/cb-prod-broker", new JsonObject());
        await File.WriteAllTextAsync(token, made.GetProperty("auth").GetProperty("client_token").GetString());
        var (stray, known) = (await SignAsync(bao), await SignAsync(bao));
        // Of a role that the policy does not name any more, and of another installation's.
        var role = await bao.SendAsync(HttpMethod.Get, "pki/roles/cb-prod-agent-mtls");
        foreach (var other in new[] { "cb-prod-former", "cb-production-former" })
        {
            await bao.SendAsync(
                HttpMethod.Post,
                $"pki/roles/{other}",
                JsonNode.Parse(role.GetProperty("data").GetRawText())
            );
        }

        var (former, _) = (await SignAsync(bao, "cb-prod-former"), await SignAsync(bao, "cb-production-former"));
        cli.Broker.On(
            "GET /v1/leases",
            new() { Leases = [CliFixture.Lease() with { Vault = new() { LeaseId = known } }] },
            BrokerJson.Default.LeaseListResponse
        );
        Task<CliRun> RunAsync(params string[] args) =>
            CliRun.RunAsync(
                environment,
                [
                    "vault",
                    "check",
                    "--orphans",
                    "--policy",
                    policy,
                    .. Installation,
                    "--token-file",
                    token,
                    "--older-than",
                    "1s",
                    .. args,
                ]
            );

        CliRun found;
        do
        {
            // A stray is at least a second old: until then it may belong to an exchange under way.
            found = await RunAsync("--output", "json");
        } while (found.Out.Split("vaultLeaseId").Length < 3);
        Assert.Equal(
            [stray, former],
            JsonDocument
                .Parse(found.Out)
                .RootElement.EnumerateArray()
                .Select(lease => lease.GetProperty("vaultLeaseId").GetString()!)
        );

        var revoked = await RunAsync("--revoke");
        Assert.Equal(0, revoked.ExitCode);
        Assert.Contains("Strays revoked: 2.", revoked.Error, StringComparison.Ordinal);
        Assert.Contains("No strays.", (await RunAsync()).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_token_or_an_address_it_says_where_they_come_from()
    {
        await using var cli = await CliFixture.StartAsync();
        var policy = await PolicyAsync(cli);

        Assert.Contains(
            "VAULT_ADDR",
            (await cli.RunAsync(["vault", "setup", "--apply", "--policy", policy, .. Installation])).Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "VAULT_TOKEN",
            (
                await cli.RunAsync([
                    "vault",
                    "setup",
                    "--apply",
                    "--address",
                    "http://127.0.0.1:1",
                    "--policy",
                    policy,
                    .. Installation,
                ])
            ).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task All_faults_of_the_options_are_told_together_in_their_own_words()
    {
        await using var cli = await CliFixture.StartAsync();

        var run = await cli.RunAsync([
            "vault",
            "check",
            "--policy",
            await PolicyAsync(cli),
            "--installation",
            "Prod",
            "--address",
            "http://vault.example",
        ]);

        Assert.Equal(2, run.ExitCode);
        Assert.All(
            ["--address", "--installation", "--token-file", "--role-id"],
            option => Assert.Contains(option, run.Error, StringComparison.Ordinal)
        );
        Assert.DoesNotContain("Vault:", run.Error, StringComparison.Ordinal);
    }

    private static async Task<string> PolicyAsync(CliFixture cli, string policy = Policy)
    {
        var path = Path.Combine(cli.Folder, "policy.yaml");
        await File.WriteAllTextAsync(path, policy);
        return path;
    }

    private static async Task<string> SignAsync(TestBao bao, string role = "cb-prod-agent-mtls")
    {
        using var key = CertificateKey.Create();
        var signed = await bao.SendAsync(
            HttpMethod.Post,
            $"pki/sign/{role}",
            new JsonObject { ["csr"] = key.CreateRequest(), ["uri_sans"] = "spiffe://acme.example/agents/triage/1" }
        );
        return signed.GetProperty("lease_id").GetString()!;
    }
}
