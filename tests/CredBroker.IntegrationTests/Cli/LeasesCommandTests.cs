using System.Text.Json;
using CredBroker.Client;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

public sealed class LeasesCommandTests
{
    [Fact]
    public async Task A_person_sees_a_table()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "GET /v1/leases",
            new() { Leases = [CliFixture.Lease(), CliFixture.Lease(LeaseStates.Failed)] },
            BrokerJson.Default.LeaseListResponse
        );

        var run = await cli.RunAtTerminalAsync("leases", "list");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Process / task", run.Out, StringComparison.Ordinal);
        Assert.Contains("triage (pod-7)", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipe_gets_aligned_columns_and_the_selection_is_the_servers()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/leases", new() { Leases = [CliFixture.Lease()] }, BrokerJson.Default.LeaseListResponse);

        var run = await cli.RunAsync(
            "leases",
            "list",
            "--agent",
            "triage",
            "--trust-domain",
            "acme.example",
            "--state",
            "active",
            "--state",
            "failed",
            "--limit",
            "5"
        );

        Assert.Equal(
            "LEASE                             STATE   AGENT           "
                + "CREDENTIAL        PROCESS / TASK           ENDS\n"
                + "0199d3b0c0de7000800000000000abcd  active  triage (pod-7)  "
                + "billing-readonly  invoice-triage / run-17  2099-01-01T00:00:00Z\n",
            run.Out
        );
        Assert.Equal(
            "?agent=triage&trustDomain=acme.example&state=active&state=failed&limit=5",
            Assert.Single(cli.Broker.Calls).Query
        );
    }

    [Fact]
    public async Task Pages_are_followed_up_to_the_limit()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "GET /v1/leases",
            context =>
                context.Response.WriteAsJsonAsync(
                    new LeaseListResponse
                    {
                        Leases =
                        [
                            CliFixture.Lease(
                                task: context.Request.Query["cursor"].ToString() is { Length: > 0 } cursor
                                    ? cursor
                                    : "first"
                            ),
                        ],
                        Next = "more",
                    },
                    BrokerJson.Default.LeaseListResponse
                )
        );

        var run = await cli.RunAsync("leases", "list", "--limit", "2", "--state", "all");

        Assert.Equal(["?limit=2", "?limit=1&cursor=more"], cli.Broker.Calls.Select(call => call.Query));
        Assert.Contains("invoice-triage / more", run.Out, StringComparison.Ordinal);
        Assert.Contains("raise --limit", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_list_says_how_an_agent_gets_a_lease()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/leases", new() { Leases = [] }, BrokerJson.Default.LeaseListResponse);

        var run = await cli.RunAsync("leases", "list");

        Assert.Equal((0, ""), (run.ExitCode, run.Out));
        Assert.Contains("credbroker exchange", run.Error, StringComparison.Ordinal);
        Assert.Equal(
            "?state=pending&state=active&state=revoking&state=failed&limit=100",
            Assert.Single(cli.Broker.Calls).Query
        );
    }

    [Fact]
    public async Task What_an_agent_wrote_cannot_steer_the_terminal()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "GET /v1/leases",
            new() { Leases = [CliFixture.Lease(task: "[red]x[/]\u001b[2J\u202Etxt\u009b1m")] },
            BrokerJson.Default.LeaseListResponse
        );

        foreach (
            var run in new[]
            {
                await cli.RunAsync("leases", "list"),
                await cli.RunAtTerminalAsync("leases", "list"),
                await cli.RunAtTerminalAsync("leases", "show", "x"),
            }
        )
        {
            Assert.DoesNotContain("\u001b[2J", run.Out, StringComparison.Ordinal);
            Assert.DoesNotContain('\u202E', run.Out);
            Assert.DoesNotContain('\u009b', run.Out);
            Assert.Contains("[red]x[/]", run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task One_lease_is_shown_with_all_that_is_known()
    {
        await using var cli = await CliFixture.StartAsync();
        var lease = CliFixture.Lease(LeaseStates.Failed) with
        {
            Revocation = new()
            {
                Cause = "admin",
                RequestedBy = "person:https://idp#ada",
                RequestedAt = CliFixture.Later,
                RevocationId = "r-1",
                Attempts = 2,
                LastError = "connection refused",
                NextAttemptAt = CliFixture.Later,
            },
            Vault = new()
            {
                LeaseId = "database/creds/x/1",
                Accessor = "acc",
                PublicName = "cb-1_x",
            },
        };
        cli.Broker.On("GET /v1/leases", new() { Leases = [lease] }, BrokerJson.Default.LeaseListResponse);

        var run = await cli.RunAsync("leases", "show", CliFixture.LeaseId);

        foreach (
            var text in new[]
            {
                "failed",
                "find duplicates",
                "pod-7",
                "azp=\"x\"",
                "finance-ops@acme.example",
                "rule triage-reads-billing",
                "admin",
                "connection refused",
                "database/creds/x/1",
            }
        )
        {
            Assert.Contains(text, run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_unknown_lease_is_a_refusal()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/leases", new() { Leases = [] }, BrokerJson.Default.LeaseListResponse);

        Assert.Equal(3, (await cli.RunAsync("leases", "show", "nope")).ExitCode);
    }

    [Fact]
    public async Task A_revocation_is_watched_until_it_is_complete()
    {
        await using var cli = await CliFixture.StartAsync();
        var states = new Queue<string>([LeaseStates.Revoking, LeaseStates.Failed, LeaseStates.Revoked]);
        cli.Broker.On("POST /v1/revocations", new("r-1"), BrokerJson.Default.RevocationAcceptedResponse, 202);
        cli.Broker.On(
            "GET /v1/revocations/r-1",
            context =>
                context.Response.WriteAsJsonAsync(Progress(states.Dequeue()), BrokerJson.Default.RevocationResponse)
        );

        var run = await cli.RunAsync("leases", "revoke", "--agent", "triage", "--reason", "compromised");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("250 ms", run.Out, StringComparison.Ordinal);
        Assert.Equal(
            "Ordered: r-1. It is carried out even if you stop watching.\n0 of 1 confirmed\n"
                + "What was revoked can be asked for anew: to refuse that too, credbroker quarantine --agent triage --reason TEXT\n"
                + "Still valid: agent-mtls of lease l, until 2099-01-01T00:00:00Z: peers that read no CRL\n1 lease over: 1 revoked.\n",
            run.Error
        );
        Assert.Equal("""{"agent":"triage","reason":"compromised"}""", cli.Broker.Calls.First().Body);
    }

    [Fact]
    public async Task A_revocation_that_is_not_confirmed_in_time_says_so_and_how_to_go_on()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("POST /v1/revocations", new("r-1"), BrokerJson.Default.RevocationAcceptedResponse, 202);
        cli.Broker.On("GET /v1/revocations/r-1", Progress(LeaseStates.Failed), BrokerJson.Default.RevocationResponse);

        var run = await cli.RunAsync("leases", "revoke", "l-1", "--reason", "r", "--wait", "1s");

        Assert.Equal(4, run.ExitCode);
        Assert.Contains("Not confirmed yet: 1 failed.", run.Error, StringComparison.Ordinal);
        Assert.Contains("credbroker orders show r-1 --watch", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_selection_that_reaches_nothing_is_exit_code_5_with_its_cure()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.OnProblem("POST /v1/revocations", "CB7006", "There is no agent `triag`, did you mean `triage`?");

        var run = await cli.RunAsync("leases", "revoke", "--agent", "triag", "--reason", "r");

        Assert.Equal((5, ""), (run.ExitCode, run.Out));
        Assert.Contains("did you mean `triage`?", run.Error, StringComparison.Ordinal);
        Assert.Contains("--allow-none", run.Error, StringComparison.Ordinal);

        await cli.RunAsync("leases", "revoke", "--agent", "triag", "--allow-none", "--reason", "r");
        Assert.Equal("""{"agent":"triag","reason":"r","allowNone":true}""", cli.Broker.Calls.Last().Body);
    }

    [Fact]
    public async Task A_dry_run_revokes_nothing()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "POST /v1/revocations",
            Progress(LeaseStates.Active) with
            {
                DryRun = true,
                RevocationId = null,
            },
            BrokerJson.Default.RevocationResponse
        );

        var run = await cli.RunAsync("leases", "revoke", "--everything", "--dry-run");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("1 lease would be revoked, and what Vault", run.Error, StringComparison.Ordinal);
        Assert.Contains("Nothing was", run.Error, StringComparison.Ordinal);
        Assert.Equal("""{"everything":true,"dryRun":true}""", Assert.Single(cli.Broker.Calls).Body);
    }

    [Fact]
    public async Task A_dry_run_of_everything_that_no_lease_is_on_record_for_says_what_would_not_be_searched()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
            "POST /v1/revocations",
            new()
            {
                DryRun = true,
                Complete = false,
                Counts = new Dictionary<string, int>(),
                Leases = [],
                StillValid =
                [
                    new()
                    {
                        LeaseId = "",
                        Credential = "",
                        What = "Not searched: archive/.",
                    },
                ],
            },
            BrokerJson.Default.RevocationResponse
        );

        var run = await cli.RunAsync("leases", "revoke", "--everything", "--dry-run");

        Assert.Equal(
            [
                "Not searched: archive/.",
                "0 leases would be revoked, and what Vault holds beside that no record knows. "
                    + "Nothing was; leave --dry-run away to do it.",
            ],
            run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        );
    }

    [Theory]
    [InlineData("Nothing is selected", "leases", "revoke")]
    [InlineData("every lease", "leases", "revoke", "--everything")]
    [InlineData("contradict", "leases", "revoke", "--everything", "--confirm", "--agent", "x")]
    [InlineData("There is no reason", "leases", "revoke", "--agent", "x")]
    [InlineData("There is no reason", "leases", "revoke", "--agent", "x", "--reason", " ")]
    [InlineData("is no duration", "leases", "revoke", "x", "--wait", "soon")]
    [InlineData("at least 1", "leases", "list", "--limit", "0")]
    [InlineData("Argument 'gone' not recognized", "leases", "list", "--state", "gone")]
    public async Task A_wrong_selection_is_a_usage_fault_and_asks_nothing(string text, params string[] args)
    {
        await using var cli = await CliFixture.StartAsync();

        var run = await cli.RunAsync(args);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains(text, run.Error, StringComparison.Ordinal);
        Assert.Empty(cli.Broker.Calls);
    }

    [Fact]
    public async Task A_missing_role_is_a_refusal_with_its_cure()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.OnProblem("GET /v1/leases", "CB7001", "This call needs viewer, auditor or admin.");

        var run = await cli.RunAsync("leases", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Contains("Next: Ask for a role", run.Error, StringComparison.Ordinal);
    }

    private static RevocationResponse Progress(string state) =>
        new()
        {
            RevocationId = "r-1",
            Complete = LeaseStates.IsFinal(state),
            Counts = new Dictionary<string, int> { [state] = 1 },
            Leases =
            [
                CliFixture.Lease(state) with
                {
                    Revocation = new()
                    {
                        Cause = "admin",
                        RequestedAt = CliFixture.Later,
                        ConfirmedAt = state == LeaseStates.Revoked ? CliFixture.Later.AddMilliseconds(250) : null,
                    },
                },
            ],
            StillValid =
                state == LeaseStates.Revoked
                    ?
                    [
                        new()
                        {
                            LeaseId = "l",
                            Credential = "agent-mtls",
                            What = "peers that read no CRL",
                            Until = CliFixture.Later,
                        },
                    ]
                    : [],
        };
}
