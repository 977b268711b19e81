using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>The command line on the real broker in dev mode: what each person does with it.</summary>
public sealed class RealBrokerTests(DevBroker broker) : IClassFixture<DevBroker>
{
    [Fact]
    public async Task An_agent_gets_a_secret_an_admin_sees_it_and_the_agent_gives_it_back()
    {
        var (agent, admin) = (await broker.AgentAsync("story-1"), await broker.PersonAsync("admin"));

        var exchanged = await CliRun.RunAsync(
            agent,
            ["exchange", "billing-api-key", .. Task("story-1"), "--ttl", "2m", "-o", "json"]
        );
        Assert.True(exchanged.ExitCode == 0, exchanged.Error);
        var reply = JsonSerializer.Deserialize(exchanged.Out, BrokerJson.Default.ExchangeResponse)!;
        Assert.IsType<KeyValueSecret>(reply.Secret);

        var listed = await CliRun.RunAsync(admin, "leases", "list", "--instance", "story-1");
        Assert.Matches($"{reply.LeaseId}  active  triage \\(story-1\\)  billing-api-key", listed.Out);
        var shown = await CliRun.RunAsync(admin, "leases", "show", reply.LeaseId);
        Assert.Matches("Purpose \\(stated\\) +find duplicates", shown.Out);
        Assert.Contains("rule triage-reads-the-billing-key", shown.Out, StringComparison.Ordinal);

        var released = await CliRun.RunAsync(agent, "release", reply.LeaseId);
        Assert.Equal(0, released.ExitCode);
        Assert.Contains("Nobody can revoke this secret", released.Error, StringComparison.Ordinal);
        Assert.Contains("Still valid", released.Error, StringComparison.Ordinal);
        Assert.Contains(
            "No live lease",
            (await CliRun.RunAsync(admin, "leases", "list", "--instance", "story-1")).Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            " ended ",
            (await CliRun.RunAsync(admin, "leases", "list", "--instance", "story-1", "--state", "all")).Out,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_task_is_closed_and_what_is_denied_afterwards_is_shown()
    {
        var (agent, admin) = (await broker.AgentAsync("close-1"), await broker.PersonAsync("admin"));
        string[] asks = ["exchange", "billing-api-key", .. Task("close-1"), "--ttl", "1m", "-o", "json"];
        var reply = JsonSerializer.Deserialize(
            (await CliRun.RunAsync(agent, asks)).Out,
            BrokerJson.Default.ExchangeResponse
        )!;

        var renewed = await CliRun.RunAsync(agent, "renew", reply.LeaseId);
        Assert.Equal(3, renewed.ExitCode);
        Assert.Contains("CB4009", renewed.Error, StringComparison.Ordinal);

        var closed = await CliRun.RunAsync(agent, "task", "close", "close-1", "--process", "invoice-triage");
        Assert.True(closed.ExitCode == 0, closed.Error);
        await Eventually.BecomesTrueAsync(
            async () =>
                (await CliRun.RunAsync(admin, "leases", "list", "--task", "close-1", "--state", "all")).Out.Contains(
                    " ended ",
                    StringComparison.Ordinal
                ),
            "the task's lease is over"
        );
        var refused = await CliRun.RunAsync(agent, asks);
        Assert.Equal(3, refused.ExitCode);

        var auditor = await broker.PersonAsync("auditor");
        var denials = await CliRun.RunAsync(
            auditor,
            "denials",
            "--since",
            "5m",
            "--process",
            "invoice-triage",
            "-o",
            "json"
        );
        Assert.True(denials.ExitCode == 0, denials.Error);
        Assert.Contains(
            JsonElement.Parse(denials.Out).EnumerateArray(),
            denial =>
                denial.GetProperty("code").GetString()
                    == JsonElement.Parse(refused.Error).GetProperty("code").GetString()
                && denial.GetProperty("agent").GetString() == "triage"
                && denial.GetProperty("credential").GetString() == "billing-api-key"
        );
        Assert.Contains(
            "Nobody was denied",
            (await CliRun.RunAsync(auditor, "denials", "--agent", "nobody")).Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Who_asks_for_a_certificate_without_a_request_is_told_of_the_option()
    {
        var run = await CliRun.RunAsync(
            await broker.AgentAsync("tls-2"),
            ["exchange", "agent-mtls", .. Task("tls-2", "connect")]
        );

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("--new-key", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_comes_with_a_key_that_never_left()
    {
        var agent = await broker.AgentAsync("tls-1");
        var (key, cert) = (Path.Combine(broker.Folder, "tls-1.key"), Path.Combine(broker.Folder, "tls-1.pem"));

        var run = await CliRun.RunAsync(
            agent,
            ["exchange", "agent-mtls", .. Task("tls-1", "connect"), "--key-out", key, "--cert-out", cert]
        );

        Assert.True(run.ExitCode == 0, run.Error);
        using var certificate = X509Certificate2.CreateFromPemFile(cert, key);
        Assert.True(certificate.HasPrivateKey);
        Assert.Contains(
            certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>(),
            names => names.RawData.AsSpan().IndexOf("spiffe://dev.credbroker.example/agents/triage/tls-1"u8) > 0
        );
        Assert.Equal(0, (await CliRun.RunAsync(agent, "release", LeaseId(run))).ExitCode);
    }

    [Fact]
    public async Task A_command_runs_with_the_secret_and_leaves_no_live_lease()
    {
        var (agent, admin) = (await broker.AgentAsync("exec-1"), await broker.PersonAsync("admin"));

        await using var run = ChildProcess.Start(
            "dotnet",
            [
                CliRun.Program,
                "exec",
                "agent-mtls",
                .. Task("exec-1", "connect"),
                "--new-key",
                "--",
                "sh",
                "-c",
                "test -n \"$SECRET_CERTIFICATE\" && test -n \"$SECRET_PRIVATE_KEY\" && echo \"has both\"; exit 3",
            ],
            agent
        );
        await run.Process.WaitForExitAsync();

        Assert.Equal((3, "has both"), (run.Process.ExitCode, run.Output.Trim()));
        Assert.Matches(
            " revoked +triage \\(exec-1\\) +agent-mtls",
            (await CliRun.RunAsync(admin, "leases", "list", "--instance", "exec-1", "--state", "all")).Out
        );
    }

    [Fact]
    public async Task What_policy_does_not_allow_is_refused_with_a_next_step()
    {
        var run = await CliRun.RunAsync(
            await broker.AgentAsync("denied-1"),
            ["exchange", "payments-api-key", .. Task("denied-1", "transfer")]
        );

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("credbroker: CB2002: Denied by policy", run.Error, StringComparison.Ordinal);
        Assert.Contains("Next: Stop", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_admin_revokes_an_instance_and_sees_it_confirmed()
    {
        var (agent, admin) = (await broker.AgentAsync("bad-1"), await broker.PersonAsync("admin"));
        var lease = LeaseId(
            await CliRun.RunAsync(agent, ["exchange", "agent-mtls", .. Task("bad-1", "connect"), "--new-key"])
        );

        var dry = await CliRun.RunAsync(admin, "leases", "revoke", "--instance", "bad-1", "--dry-run");
        Assert.Contains("1 lease would be revoked", dry.Error, StringComparison.Ordinal);
        Assert.Contains(
            "There is no revocation",
            (await CliRun.RunAsync(admin, "orders", "show", new string('0', 32))).Error,
            StringComparison.Ordinal
        );
        var run = await CliRun.RunAsync(admin, "leases", "revoke", "--instance", "bad-1", "--reason", "compromised");
        var orders = await CliRun.RunAsync(admin, "orders", "list");
        var listed = Regex.Match(orders.Out, "(?<id>[0-9a-f]{32}) .* instance bad-1 +compromised");
        Assert.True(listed.Success, orders.Out);
        var shown = await CliRun.RunAsync(admin, "orders", "show", listed.Groups["id"].Value);
        Assert.True(shown.ExitCode == 0, shown.Error);
        Assert.Contains("1 lease over: ", shown.Error, StringComparison.Ordinal);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Matches($"{lease}  revoked", run.Out);
        Assert.Contains("Still valid: agent-mtls", run.Error, StringComparison.Ordinal);
        Assert.Contains("1 lease over: 1 revoked.", run.Error, StringComparison.Ordinal);
        Assert.Equal(
            3,
            (
                await CliRun.RunAsync(
                    await broker.PersonAsync("owner"),
                    "leases",
                    "revoke",
                    "--instance",
                    "bad-1",
                    "--reason",
                    "r"
                )
            ).ExitCode
        );
    }

    [Fact]
    public async Task An_auditor_exports_the_log_and_verifies_it()
    {
        var (agent, auditor) = (await broker.AgentAsync("audit-1"), await broker.PersonAsync("auditor"));
        var exchanged = await CliRun.RunAsync(agent, ["exchange", "billing-api-key", .. Task("audit-1"), "-o", "json"]);
        var reply = JsonSerializer.Deserialize(exchanged.Out, BrokerJson.Default.ExchangeResponse)!;
        var file = Path.Combine(broker.Folder, "audit.jsonl");

        var export = await CliRun.RunAsync(auditor, "audit", "export", "--from", "1h", "--out", file);
        Assert.True(export.ExitCode == 0, export.Error);
        var verified = await CliRun.RunAsync(auditor, "audit", "verify", file);

        Assert.True(verified.ExitCode == 0, verified.Out);
        var text = await File.ReadAllTextAsync(file);
        Assert.Contains(reply.LeaseId, text, StringComparison.Ordinal);
        Assert.All(
            ((KeyValueSecret)reply.Secret).Data.EnumerateObject(),
            member => Assert.DoesNotContain(member.Value.ToString(), text, StringComparison.Ordinal)
        );
        await File.WriteAllTextAsync(file, text.Replace(reply.LeaseId, new string('0', 32), StringComparison.Ordinal));
        Assert.Equal(5, (await CliRun.RunAsync(auditor, "audit", "verify", file)).ExitCode);
    }

    [Fact]
    public async Task The_policy_in_force_is_tried_on_a_supposed_request()
    {
        var request = Path.Combine(broker.Folder, "request.json");
        var example = (await CliRun.RunAsync(new Dictionary<string, string>(), "policy", "evaluate", "--example")).Out;
        await File.WriteAllTextAsync(request, example);

        var run = await CliRun.RunAsync(await broker.PersonAsync("owner"), "policy", "evaluate", request);

        Assert.Equal((3, ""), (run.ExitCode, run.Error));
        Assert.Matches("The agent is told +CB2004", run.Out);
        Assert.Matches("Policy +version 1", run.Out);
        Assert.Equal(
            3,
            (
                await CliRun.RunAsync(
                    new Dictionary<string, string>(),
                    "policy",
                    "evaluate",
                    request,
                    "--policy",
                    broker.PolicyFile
                )
            ).ExitCode
        );
    }

    [Fact]
    public async Task Doctor_finds_each_token_well_and_a_foreign_one_not()
    {
        var agent = await CliRun.RunAsync(await broker.AgentAsync("doc-1"), "doctor");
        Assert.True(agent.ExitCode == 0, agent.Out + agent.Error);
        Assert.Contains("as a workload's", agent.Out, StringComparison.Ordinal);
        Assert.Contains(
            "as a person's",
            (await CliRun.RunAsync(await broker.PersonAsync("owner"), "doctor")).Out,
            StringComparison.Ordinal
        );

        var foreign = await broker.AgentAsync("doc-2");
        var token = (await File.ReadAllTextAsync(foreign["CREDBROKER_TOKEN_FILE"])).Split('.');
        await File.WriteAllTextAsync(foreign["CREDBROKER_TOKEN_FILE"], $"{token[0]}.{token[1]}.{token[2][..^4]}AAAA");
        var run = await CliRun.RunAsync(foreign, "doctor");
        Assert.Equal(5, run.ExitCode);
        Assert.Contains(
            "First failing check: identity: the broker refuses the token: CB1009",
            run.Error,
            StringComparison.Ordinal
        );
    }

    private static string[] Task(string id, string action = "read") =>
        ["--process", "invoice-triage", "--task", id, "--purpose", "find duplicates", "--action", action];

    private static string LeaseId(CliRun run)
    {
        Assert.True(run.ExitCode == 0, run.Error);
        return run.Error.Split(' ')[1];
    }
}
