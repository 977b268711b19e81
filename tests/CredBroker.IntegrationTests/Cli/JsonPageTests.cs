using System.CommandLine;
using System.Text.Json;
using CredBroker.Cli;
using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.IntegrationTests.Storage;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;
using CredBroker.Testing.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>
/// <c>.github/docs/cli-json.md</c> is held to what the commands print: on the real broker in dev mode, and on a stub where
/// dev mode never comes to it.
/// </summary>
public sealed class JsonPageTests(DevBroker broker, SharedPostgres postgres)
    : IClassFixture<DevBroker>,
        IClassFixture<SharedPostgres>
{
    [Fact]
    public void Every_command_that_prints_JSON_has_its_example_and_no_other_has_one() =>
        Assert.Equal(
            Commands(CommandLine.Create(Program()), "").Order(StringComparer.Ordinal),
            JsonPage.Examples.Select(example => example.Command).Order(StringComparer.Ordinal)
        );

    [Fact]
    public async Task What_agents_and_incident_responders_read()
    {
        var (agent, admin) = (await broker.AgentAsync("page-1"), await broker.PersonAsync("admin"));
        var lease = Text(await HoldsAsync(agent, "exchange", ["billing-api-key", .. Task("page-1")]), "leaseId");
        await HoldsAsync(agent, "outcome", [lease, "--status", "succeeded"]);
        await HoldsAsync(agent, "catalogue");
        await HoldsAsync(agent, "whoami");
        await HoldsAsync(agent, "doctor");
        await HoldsAsync(admin, "leases list", ["--task", "page-1"]);
        await HoldsAsync(admin, "leases show", [lease]);
        var order = Text(
            await HoldsAsync(admin, "leases revoke", ["--task", "page-1", "--reason", "incident 42"]),
            "revocationId"
        );
        await HoldsAsync(admin, "orders show", [order]);
        await HoldsAsync(admin, "orders list");
        var released = Text(await RunAsync(agent, "exchange", ["billing-api-key", .. Task("page-2")]), "leaseId");
        await HoldsAsync(agent, "release", [released]);
        await HoldsAsync(agent, "task close", ["page-2", "--process", "invoice-triage"]);

        await RunAsync(agent, "exchange", ["billing-api-key", .. Task("page-3")]);
        await HoldsAsync(admin, "quarantine", ["--task", "page-3", "--reason", "incident 42", "--for", "2h"]);
        var hold = Text(
            await HoldsAsync(admin, "holds add", ["--task", "page-4", "--allow-none", "--reason", "incident 42"]),
            "holdId"
        );
        await HoldsAsync(admin, "holds list");
        await HoldsAsync(admin, "holds lift", [hold, "--reason", "it was a drill"]);
    }

    [Fact]
    public async Task What_approvers_and_executors_read()
    {
        var (payer, executor, owner) = (
            await broker.AgentAsync("page-payer", "payer"),
            await broker.AgentAsync("page-executor", "payments-executor"),
            await broker.PersonAsync("owner")
        );
        string[] ask =
        [
            "payments-api-key",
            .. Task("page-pay", "transfer", "payments"),
            "--tool",
            "transfer",
            "--tool-arguments",
            """{"amount":420.50,"iban":"DE02120300000000202051"}""",
        ];
        await RunAsync(payer, "exchange", ask);
        var listed = await HoldsAsync(owner, "approvals list");
        var request = listed.GetProperty("approvals")[0].GetProperty("approvalId").GetString()!;
        var digest = Text(await HoldsAsync(owner, "approvals show", [request]), "digest");
        await HoldsAsync(owner, "approvals approve", [request, "--digest", digest]);
        await HoldsAsync(executor, "requests list");
        await HoldsAsync(executor, "requests redeem", [request]);

        await RunAsync(payer, "exchange", ask);
        var second = (await RunAsync(owner, "approvals list")).GetProperty("approvals")[0];
        await HoldsAsync(owner, "approvals deny", [Text(second, "approvalId"), "--reason", "not this one"]);
    }

    [Fact]
    public async Task What_auditors_and_operators_read()
    {
        var (agent, auditor, admin) = (
            await broker.AgentAsync("page-5"),
            await broker.PersonAsync("auditor"),
            await broker.PersonAsync("admin")
        );
        await CliRun.RunAsync(agent, ["exchange", "payments-api-key", .. Task("page-5", "transfer")]);
        await HoldsAsync(auditor, "denials", ["--process", "invoice-triage"]);
        await HoldsAsync(auditor, "audit show", ["--task", "page-5"]);
        var file = Path.Combine(broker.Folder, "page.jsonl");
        Assert.Equal(0, (await CliRun.RunAsync(auditor, "audit", "export", "--from", "1h", "--out", file)).ExitCode);
        await HoldsAsync(auditor, "audit verify", [file]);
        await HoldsAsync(admin, "vault cluster");
        await HoldsAsync(admin, "store clock");
        await HoldsAsync(admin, "store accept");
        string[] gone = ["https://idp.example", "someone", "--reason", "has left"];
        await HoldsAsync(admin, "owners retire", gone);
        await HoldsAsync(admin, "owners list");
        await HoldsAsync(admin, "owners reinstate", gone);
    }

    [Fact]
    public async Task What_policy_authors_read()
    {
        var (admin, samples) = (
            await broker.PersonAsync("admin"),
            Path.Combine(Repository.Root, "samples", "policies")
        );
        var (request, warned) = (Path.Combine(broker.Folder, "page.json"), Path.Combine(broker.Folder, "warned.yaml"));
        await File.WriteAllTextAsync(request, (await CliRun.RunAsync(admin, "policy", "evaluate", "--example")).Out);
        await File.WriteAllTextAsync(
            warned,
            (await File.ReadAllTextAsync(broker.PolicyFile)) + "  - { id: all, effect: allow, when: \"true\" }\n"
        );
        await HoldsAsync(admin, "policy lint", [warned]);
        await HoldsAsync(admin, "policy test", [Path.Combine(samples, "billing.test.yaml")]);
        await HoldsAsync(admin, "policy evaluate", [request]);
        await HoldsAsync(admin, "policy diff", [broker.PolicyFile]);
        await HoldsAsync(admin, "policy replay", [broker.PolicyFile, "--since", "1h"]);
        await HoldsAsync(admin, "policy versions");
        await HoldsAsync(admin, "policy show");

        await using var changed = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Policy:Source"] = "Api" }
        );
        var (agentToken, adminToken, next) = (
            Path.Combine(changed.Folder, "agent"),
            Path.Combine(changed.Folder, "admin"),
            Path.Combine(changed.Folder, "next.yaml")
        );
        await File.WriteAllTextAsync(agentToken, changed.Agent());
        await File.WriteAllTextAsync(adminToken, changed.Person("admin"));
        await File.WriteAllTextAsync(next, TestPolicy.Text + "\n# reviewed\n");
        Dictionary<string, string> As(string token) =>
            new() { ["CREDBROKER_SERVER"] = changed.Addresses[0].ToString(), ["CREDBROKER_TOKEN_FILE"] = token };

        using var issued = await changed.SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            changed.Agent(),
            Api.Exchange(more: ",\"ttl\":\"2m\"")
        );
        var lease = Text(await issued.ReadAsync(System.Net.HttpStatusCode.Created), "leaseId");
        await HoldsAsync(As(agentToken), "renew", [lease, "--ttl", "5m"]);
        await HoldsAsync(As(adminToken), "policy apply", [next, "--yes"]);
        await HoldsAsync(As(adminToken), "policy rollback", ["1", "--reason", "it broke billing", "--yes"]);
    }

    [Fact]
    public async Task What_a_store_is_asked()
    {
        using var place = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        using var target = await UpkeepStore.MakeAsync(UpkeepStore.Sqlite, postgres);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using (var store = place.Open(time))
        {
            await store.CommitAsync(new StoreSamples(time).Opened(), default);
        }

        var nothing = new Dictionary<string, string>();
        await HoldsAsync(nothing, "store info", ["--store", place.Argument]);
        await place.ExecuteAsync("DELETE FROM schemaversions WHERE scriptname LIKE '%\\_closed.sql' ESCAPE '\\'");
        await place.ExecuteAsync("ALTER TABLE store DROP COLUMN closed");
        await HoldsAsync(nothing, "store migrate", ["--store", place.Argument]);
        await HoldsAsync(nothing, "store copy", ["--from", place.Argument, "--to", target.Argument]);
    }

    [Fact]
    public async Task What_a_Vault_is_asked()
    {
        await using var bao = await TestBao.StartAsync();
        var environment = new Dictionary<string, string>
        {
            ["VAULT_ADDR"] = bao.Address.ToString(),
            ["VAULT_TOKEN"] = bao.RootToken,
        };
        string[] catalogue = ["--policy", broker.PolicyFile, "--installation", "page"];
        await HoldsAsync(environment, "vault setup", [.. catalogue, "--compare"]);
        Assert.Equal(0, (await CliRun.RunAsync(environment, ["vault", "setup", .. catalogue, "--apply"])).ExitCode);
        var token = Path.Combine(broker.Folder, "root-token");
        await File.WriteAllTextAsync(token, bao.RootToken);
        await HoldsAsync(environment, "vault check", [.. catalogue, "--token-file", token]);
    }

    [Fact]
    public async Task What_dev_mode_never_comes_to()
    {
        await using var cli = await CliFixture.StartAsync();
        var confirmed = CliFixture.Lease(LeaseStates.Revoked) with
        {
            Revocation = new()
            {
                Cause = "admin",
                RequestedAt = CliFixture.Later,
                ConfirmedAt = CliFixture.Later,
                ConfirmedBy = "person:https://idp.example#ada",
            },
        };
        var asked = ApprovalsCommandTests.Approval("pending");
        var box = new TimeBoxResponse
        {
            ApprovalId = asked.ApprovalId,
            State = "open",
            OpenedAt = CliFixture.Later,
            EndsAt = CliFixture.Later,
            Uses = 3,
            MaxUses = 1000,
            Requester = asked.Requester,
            Process = asked.Process,
            Task = asked.Task,
            Credential = asked.Credential,
            Actions = asked.Actions,
            Ttl = asked.Ttl,
            Agreements = [],
        };
        cli.Broker.On($"POST /v1/leases/{CliFixture.LeaseId}/confirm", confirmed, BrokerJson.Default.LeaseResponse)
            .On("GET /v1/approvals/boxes", new() { TimeBoxes = [box] }, BrokerJson.Default.TimeBoxListResponse)
            .On(
                $"POST /v1/approvals/{asked.ApprovalId}/revoke-box",
                box with
                {
                    State = "ended",
                    EndedAt = CliFixture.Later,
                    EndedBy = "person:https://idp.example#ada",
                    Cause = "taken-back",
                    RevocationId = "01a229ed3c6d7475a42b6d611c86acf7",
                },
                BrokerJson.Default.TimeBoxResponse
            );
        var streams = 0;
        cli.Broker.On(
            "GET /v1/approvals/events",
            async http =>
            {
                // The first stream tells of one request and ends; to go on is refused.
                http.Response.StatusCode = streams++ == 0 ? 200 : 403;
                http.Response.ContentType = "text/event-stream";
                var data = JsonSerializer.Serialize(asked, BrokerJson.Default.ApprovalResponse);
                await http.Response.WriteAsync($"event: approval\nid: 7\ndata: {data}\n\n");
            }
        );

        await HoldsAsync(cli.Environment, "leases confirm", [CliFixture.LeaseId, "--evidence", "the user is gone"]);
        await HoldsAsync(cli.Environment, "approvals boxes");
        await HoldsAsync(cli.Environment, "approvals revoke-box", [asked.ApprovalId, "--reason", "enough"]);
        await HoldsAsync(cli.Environment, "approvals watch");

        await using var login = await LoginFixture.StartAsync();
        login.Person = LoginFixture.ComesBack();
        JsonPage.Holds("login", await login.RunAsync("login", "--browser", "-o", "json"));
    }

    private static async Task<JsonElement> HoldsAsync(
        IReadOnlyDictionary<string, string> environment,
        string command,
        params string[] args
    ) => JsonPage.Holds(command, await CliRun.RunAsync(environment, [.. command.Split(' '), .. args, "-o", "json"]));

    private static async Task<JsonElement> RunAsync(
        IReadOnlyDictionary<string, string> environment,
        string command,
        params string[] args
    )
    {
        var run = await CliRun.RunAsync(environment, [.. command.Split(' '), .. args, "-o", "json"]);
        return JsonElement.Parse(run.Out.Length > 0 ? run.Out : run.Error);
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static string[] Task(string id, string action = "read", string process = "invoice-triage") =>
        ["--process", process, "--task", id, "--purpose", "find duplicates", "--action", action];

    private static IEnumerable<string> Commands(Command command, string path) =>
        command
            .Subcommands.SelectMany(sub => Commands(sub, $"{path} {sub.Name}"))
            .Concat(command.Options.Any(option => option.Name == "--output") ? [path.Trim()] : []);

    private static Terminal Program() =>
        new()
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            In = Stream.Null,
            OpenOut = () => Stream.Null,
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            Variable = _ => null,
            Time = TimeProvider.System,
        };
}
