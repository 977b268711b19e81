using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CredBroker.Client;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>
/// The real program as a process: what its child sees, what it prints itself, and what happens to the secret at the
/// end.
/// </summary>
public sealed class ExecCommandTests
{
    private const string Request = "3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f";
    private static readonly JsonTypeInfo<ApprovalStatusResponse> StatusType = BrokerJson.Default.ApprovalStatusResponse;
    private static readonly string Release = $"DELETE /v1/credentials/{CliFixture.LeaseId}";

    [Fact]
    public async Task The_child_sees_the_secret_and_its_exit_code_is_ours()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        var file = Path.Combine(cli.Folder, "seen");

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--as",
            "postgres",
            "--",
            "sh",
            "-c",
            "echo $PGHOST $PGPORT $PGDATABASE $PGUSER $PGPASSWORD $PGSSLMODE > \"$0\"; exit 7",
            file,
        ]);
        await run.Process.WaitForExitAsync();

        Assert.Equal(7, run.Process.ExitCode);
        Assert.Equal("billing-db 5433 billing cb-1_x hunter2 verify-full\n", await File.ReadAllTextAsync(file));
        Assert.Equal("", run.Output.Trim());
        Assert.Equal(["POST /v1/credentials", Release], cli.Broker.Calls.Select(call => call.Call));
    }

    [Fact]
    public async Task The_child_waits_for_people_where_they_have_to_approve_it()
    {
        await using var cli = await CliFixture.StartAsync();
        var (polls, asked) = (0, new List<string>());
        Challenge(cli, asked);
        cli.Broker.On(
            $"GET /v1/requests/{Request}",
            http =>
                http.Response.WriteAsJsonAsync(Status(++polls < 2 ? "authorization_pending" : "approved"), StatusType)
        );

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--wait-for-approval",
            "--",
            "sh",
            "-c",
            "exit 7",
        ]);
        await run.Process.WaitForExitAsync();

        Assert.Equal(7, run.Process.ExitCode);
        Assert.Equal(2, polls);
        Assert.Equal(["", Request], asked);
        Assert.Contains($"Waiting for people to approve request {Request}", run.Output, StringComparison.Ordinal);
        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    [Fact]
    public async Task The_wait_for_people_goes_on_where_it_breaks_off()
    {
        await using var cli = await CliFixture.StartAsync();
        var (polls, asked) = (0, new List<string>());
        Challenge(cli, asked);
        cli.Broker.On(
            $"GET /v1/requests/{Request}",
            http =>
            {
                if (++polls == 1)
                {
                    http.Abort();
                    return Task.CompletedTask;
                }

                return http.Response.WriteAsJsonAsync(Status("approved"), StatusType);
            }
        );

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--wait-for-approval",
            "--",
            "sh",
            "-c",
            "exit 7",
        ]);
        await run.Process.WaitForExitAsync();

        Assert.Equal(7, run.Process.ExitCode);
        Assert.Equal(["", Request], asked);
        Assert.Contains("The wait broke off", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signal_ends_the_wait_for_people_and_nothing_is_issued()
    {
        Signals.SkipWhenIgnored(15);
        await using var cli = await CliFixture.StartAsync();
        var asked = new List<string>();
        Challenge(cli, asked);
        cli.Broker.On(
            $"GET /v1/requests/{Request}",
            http => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted)
        );
        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--wait-for-approval",
            "--",
            "true",
        ]);
        await Eventually.BecomesTrueAsync(() =>
            Task.FromResult(cli.Broker.Calls.Any(call => call.Call.StartsWith("GET", StringComparison.Ordinal)))
        );
        await KillAsync(run, 15);
        await run.Process.WaitForExitAsync();

        Assert.Equal(143, run.Process.ExitCode);
        Assert.Equal([""], asked);
    }

    [Fact]
    public async Task Our_own_output_and_command_line_never_hold_the_secret()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        cli.Broker.OnProblem(Release, "CB4001", "Vault does not answer.");

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--",
            "sh",
            "-c",
            "tr '\\0' ' ' < /proc/$PPID/cmdline",
        ]);
        await run.Process.WaitForExitAsync();

        Assert.Contains("exec billing-readonly", run.Output, StringComparison.Ordinal);
        Assert.Contains("could not be released", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(15, 143)]
    [InlineData(2, 130)]
    [InlineData(1, 129)]
    public async Task A_signal_reaches_the_child_and_the_secret_is_released(int signal, int exitCode)
    {
        Signals.SkipWhenIgnored(signal);
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--",
            "sh",
            "-c",
            "echo up; exec sleep 100",
        ]);
        await OutputAsync(run, "up");
        await KillAsync(run, signal);
        await run.Process.WaitForExitAsync();

        Assert.Equal(exitCode, run.Process.ExitCode);
        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    [Theory]
    [InlineData("echo up; exec sleep 100", 143)]
    [InlineData("trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done", 9)]
    public async Task A_command_that_is_to_stop_with_its_secret_is_told_so_when_it_ends(string script, int exitCode)
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On(
                "POST /v1/credentials",
                context =>
                {
                    context.Response.StatusCode = 201;
                    return context.Response.WriteAsJsonAsync(
                        new()
                        {
                            LeaseId = CliFixture.LeaseId,
                            Secret = CliFixture.Database,
                            ExpiresAt = TimeProvider.System.GetUtcNow().AddSeconds(3),
                            Decision = new("d", 1),
                        },
                        BrokerJson.Default.ExchangeResponse
                    );
                }
            )
            .OnProblem($"POST /v1/credentials/{CliFixture.LeaseId}/renew", "CB4009", "no")
            .OnStatus(Release, 204);

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--stop-at-expiry",
            "--",
            "sh",
            "-c",
            script,
        ]);
        await run.Process.WaitForExitAsync();

        Assert.Equal(exitCode, run.Process.ExitCode);
        Assert.Contains("it is told to stop", run.Output, StringComparison.Ordinal);
        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    [Theory]
    [InlineData("exec", "billing-readonly", "--purpos", "x", "--", "true")]
    [InlineData("exec", "billing-readonly", "true")]
    [InlineData("exec", "--purpos", "billing-readonly", "--", "true")]
    public async Task An_option_that_does_not_exist_never_becomes_the_command(params string[] args)
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);

        var run = await cli.RunAsync([.. args[..2], .. CliFixture.Task, .. args[2..]]);

        Assert.Equal(125, run.ExitCode);
        Assert.Contains("--", run.Error, StringComparison.Ordinal);
        Assert.Empty(cli.Broker.Calls);
    }

    [Fact]
    public async Task The_command_inherits_no_variable_that_a_token_could_be_had_from()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        foreach (var name in new[] { "CREDBROKER_ID_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN" })
        {
            cli.Extra[name] = "a.b.c";
        }

        await using var run = cli.Start(["exec", "billing-readonly", .. CliFixture.Task, "--", "env"]);
        await run.Process.WaitForExitAsync();

        Assert.Contains("SECRET_PASSWORD=", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("TOKEN", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_that_handles_the_signal_decides_the_exit_code()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--",
            "sh",
            "-c",
            "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done",
        ]);
        await OutputAsync(run, "up");
        await KillAsync(run, 15);
        await run.Process.WaitForExitAsync();

        Assert.Equal(9, run.Process.ExitCode);
        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    [Fact]
    public async Task A_signal_while_the_secret_is_being_made_is_not_lost()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        var (asked, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        cli.Broker.On(
            "POST /v1/credentials",
            async context =>
            {
                asked.SetResult();
                await answer.Task;
                context.Response.StatusCode = 201;
                await context.Response.WriteAsJsonAsync(
                    new()
                    {
                        LeaseId = CliFixture.LeaseId,
                        Secret = CliFixture.Database,
                        ExpiresAt = CliFixture.Later,
                        Decision = new("d", 1),
                    },
                    BrokerJson.Default.ExchangeResponse
                );
            }
        );

        await using var run = cli.Start(["exec", "billing-readonly", .. CliFixture.Task, "--", "sleep", "100"]);
        await asked.Task;
        await KillAsync(run, 15);
        answer.SetResult();
        await run.Process.WaitForExitAsync();

        Assert.Equal(143, run.Process.ExitCode);
        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    [Theory]
    [InlineData("no-such-command-anywhere", 127)]
    [InlineData("token", 126)]
    public async Task A_command_that_cannot_run_costs_no_secret(string command, int exitCode)
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);

        var run = await cli.RunAsync([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--",
            Path.Combine(cli.Folder, command),
        ]);

        Assert.Equal(exitCode, run.ExitCode);
        Assert.Empty(cli.Broker.Calls);
    }

    [Fact]
    public async Task A_refused_request_is_125_and_runs_nothing()
    {
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.OnProblem("POST /v1/credentials", "CB2002", "A rule denies this.");

        var run = await cli.RunAsync([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--",
            "touch",
            Path.Combine(cli.Folder, "ran"),
        ]);

        Assert.Equal(125, run.ExitCode);
        Assert.False(File.Exists(Path.Combine(cli.Folder, "ran")));
        Assert.Contains("CB2002", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_does_not_fit_the_style_is_released()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(
            new KeyValueSecret { Data = JsonElement.Parse("""{"a":"b"}""") }
        );

        var run = await cli.RunAsync([
            "exec",
            "payments-api-key",
            .. CliFixture.Task,
            "--as",
            "postgres",
            "--",
            "true",
        ]);

        Assert.Equal(125, run.ExitCode);
        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    [Fact]
    public async Task The_child_does_not_inherit_what_identity_tokens_can_be_had_from()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        var environment = cli.Environment;
        environment.Remove("CREDBROKER_TOKEN_FILE");
        environment["CREDBROKER_ID_TOKEN"] = "a.b.c";

        await using var run = ChildProcess.Start(
            "dotnet",
            [
                CliRun.Program,
                "exec",
                "billing-readonly",
                .. CliFixture.Task,
                "--",
                "sh",
                "-c",
                "echo token=[$CREDBROKER_ID_TOKEN] user=[$SECRET_USERNAME]",
            ],
            environment
        );
        await run.Process.WaitForExitAsync();

        Assert.Equal("token=[] user=[cb-1_x]", run.Output.Trim());
    }

    [Fact]
    public async Task Arguments_that_look_like_ours_or_like_response_files_are_the_commands()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);

        await using var run = cli.Start([
            "exec",
            "billing-readonly",
            .. CliFixture.Task,
            "--",
            "echo",
            "--server",
            "@file",
            "--",
            "--help",
        ]);
        await run.Process.WaitForExitAsync();

        Assert.Equal("--server @file -- --help", run.Output.Trim());
    }

    [Fact]
    public async Task A_secret_is_renewed_while_its_command_runs()
    {
        await using var cli = (await CliFixture.StartAsync()).Issues(CliFixture.Database);
        var renewed = new TaskCompletionSource();
        cli.Broker.On(
            "POST /v1/credentials",
            context =>
                context.Response.WriteAsJsonAsync(
                    new()
                    {
                        LeaseId = CliFixture.LeaseId,
                        Secret = CliFixture.Database,
                        ExpiresAt = TimeProvider.System.GetUtcNow().AddSeconds(6),
                        Decision = new("d", 1),
                    },
                    BrokerJson.Default.ExchangeResponse
                )
        );
        cli.Broker.On(
            $"POST /v1/credentials/{CliFixture.LeaseId}/renew",
            async context =>
            {
                await context.Response.WriteAsJsonAsync(CliFixture.Lease(), BrokerJson.Default.LeaseResponse);
                renewed.TrySetResult();
            }
        );

        await using var run = cli.Start(["exec", "billing-readonly", .. CliFixture.Task, "--", "sleep", "100"]);
        await renewed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await KillAsync(run, 15);
        await run.Process.WaitForExitAsync();

        Assert.Equal(Release, cli.Broker.Calls.Last().Call);
    }

    private static async Task OutputAsync(ChildProcess run, string text)
    {
        var seen = new TaskCompletionSource();
        run.Process.OutputDataReceived += (_, _) => Look();
        run.Process.Exited += (_, _) => seen.TrySetResult();
        Look();
        await seen.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains(text, run.Output, StringComparison.Ordinal);

        void Look()
        {
            if (run.Output.Contains(text, StringComparison.Ordinal))
            {
                seen.TrySetResult();
            }
        }
    }

    private static Task<string> KillAsync(ChildProcess run, int signal) =>
        ChildProcess.RunAsync("kill", $"-{signal}", $"{run.Process.Id}");

    private static ApprovalStatusResponse Status(string status) =>
        new()
        {
            ApprovalId = Request,
            Status = status,
            Interval = TimeSpan.FromSeconds(5),
            ExpiresAt = CliFixture.Later,
        };

    /// <summary>People are asked first; who comes with their word is issued the secret.</summary>
    private static void Challenge(CliFixture cli, List<string> asked)
    {
        cli.Issues(CliFixture.Database);
        cli.Broker.On(
            "POST /v1/credentials",
            async http =>
            {
                var request = JsonSerializer.Deserialize(
                    cli.Broker.Calls.Last(call => call.Call == "POST /v1/credentials").Body,
                    BrokerJson.Default.ExchangeRequest
                )!;
                asked.Add(request.ApprovalId ?? "");
                if (request.ApprovalId is null)
                {
                    http.Response.StatusCode = 202;
                    await http.Response.WriteAsJsonAsync(
                        new()
                        {
                            ApprovalId = Request,
                            Interval = TimeSpan.FromSeconds(5),
                            ExpiresAt = CliFixture.Later,
                            Digest = "d",
                        },
                        BrokerJson.Default.ApprovalRequestResponse
                    );
                    return;
                }

                http.Response.StatusCode = 201;
                await http.Response.WriteAsJsonAsync(
                    new()
                    {
                        LeaseId = CliFixture.LeaseId,
                        Secret = CliFixture.Database,
                        ExpiresAt = CliFixture.Later,
                        Decision = new("d-1", 3),
                    },
                    BrokerJson.Default.ExchangeResponse
                );
            }
        );
    }
}
