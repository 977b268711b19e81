using System.Text.Json;
using System.Text.RegularExpressions;
using CredBroker.Cli;
using CredBroker.Client;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;

namespace CredBroker.IntegrationTests.Cli;

/// <summary><c>--watch</c>, on a broker that answers as a test tells it.</summary>
public sealed partial class WatchTests
{
    [Fact]
    public async Task A_pipe_gets_each_change_once_without_escapes()
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases(LeaseStates.Active), Leases(LeaseStates.Active), Leases(LeaseStates.Revoking), Refusal);

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: false, "leases", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Single(Regex.Matches(run.Out, " active "));
        Assert.Single(Regex.Matches(run.Out, " revoking "));
        Assert.Equal(2, TimeLine.Count(run.Out));
        Assert.DoesNotContain('\e', run.Out);
        Assert.Contains("CB7001", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JSON_is_a_document_a_line_for_each_change()
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases(LeaseStates.Active), Leases(LeaseStates.Active), Leases(LeaseStates.Revoked), Refusal);

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: false, "leases", "list", "-o", "json");

        Assert.Equal(
            ["active", "revoked"],
            run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line).GetProperty("leases")[0].GetProperty("state").GetString())
        );
        Assert.Equal("CB7001", JsonElement.Parse(run.Error).GetProperty("code").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_that_is_away_for_a_while_is_waited_for_and_what_was_seen_last_stands_with_its_time(
        bool isDrawn
    )
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases(LeaseStates.Active), Away, Away, Leases(LeaseStates.Revoked), Refusal);

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn, "leases", "list");

        Assert.Equal(3, run.ExitCode);
        var told = isDrawn ? run.Out : run.Error;
        Assert.Contains("The broker does not answer", told, StringComparison.Ordinal);
        Assert.Matches(@"was so at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told);
        Assert.Contains("revoked", run.Out, StringComparison.Ordinal);
        if (!isDrawn)
        {
            Assert.Single(Regex.Matches(told, "does not answer"));
            Assert.Single(Regex.Matches(told, "answers again"));
        }
    }

    [Fact]
    public async Task A_broker_that_never_answered_is_an_error_and_not_waited_for()
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Away);

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: false, "leases", "list");

        Assert.Equal((4, ""), (run.ExitCode, run.Out));
        Assert.Single(cli.Broker.Calls);
    }

    [Fact]
    public async Task A_terminal_is_drawn_anew_on_its_other_screen_and_the_last_look_stays()
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases(LeaseStates.Active), Leases(LeaseStates.Failed), Refusal);

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: true, "leases", "list");

        Assert.StartsWith("\e[?1049h", run.Out, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(run.Out, Regex.Escape("\e[H")));
        Assert.Contains("credbroker leases list, every 2 s, at ", run.Out, StringComparison.Ordinal);
        var after = run.Out.Split("\e[?1049l")[1];
        Assert.Contains("failed", after, StringComparison.Ordinal);
        Assert.DoesNotContain("active", after, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_the_terminal_holds_is_said_to_be_left_out()
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases([.. Enumerable.Repeat(LeaseStates.Active, 60)]), Refusal);

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: true, "leases", "list");

        // Of 40 rows: the title, an empty one, the headings, 36 leases, and what is said of the others.
        Assert.Contains("… and 24 lines more", run.Out.Split("\e[?1049l")[0], StringComparison.Ordinal);
        Assert.Equal(36, Regex.Count(run.Out.Split("\e[?1049l")[0], "active"));
        Assert.Equal(60, Regex.Count(run.Out.Split("\e[?1049l")[1], "active"));
    }

    [Fact]
    public async Task What_an_agent_wrote_does_not_draw_on_the_screen()
    {
        await using var cli = await CliFixture.StartAsync();
        const string Hostile = "\e]0;mine\a\e[2J\e[?1049l\u009b2J\u202e";
        Answers(
            cli,
            context =>
                context.Response.WriteAsJsonAsync(
                    new() { Leases = [CliFixture.Lease(task: Hostile)] },
                    BrokerJson.Default.LeaseListResponse
                ),
            Refusal
        );

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: true, "leases", "list");

        Assert.Equal(2, Regex.Count(run.Out, "\uFFFD]0;mine\uFFFD\uFFFD"));
        Assert.Equal(1, Regex.Count(run.Out, Regex.Escape("\e[?1049l")));
        var own = Regex.Replace(run.Out, @"\e\[(\?1049[hl]|\?25[hl]|H|K|J|[\d;]*m)", "");
        Assert.DoesNotContain(own, character => char.IsControl(character) && character != '\n');
        Assert.DoesNotContain('\u202e', own);
    }

    [Fact]
    public async Task What_cannot_be_written_ends_it_and_is_no_silence_of_the_broker()
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases(LeaseStates.Active), Leases(LeaseStates.Revoking), Refusal);
        using var full = new FullDisk(after: "active");
        using var error = new StringWriter();

        var exitCode = await CommandLine.RunAsync(
            ["leases", "list", "--watch", "-o", "json"],
            new()
            {
                Out = full,
                Error = error,
                In = Stream.Null,
                OpenOut = () => Stream.Null,
                OutIsTerminal = false,
                ErrorIsTerminal = false,
                Variable = name => cli.Environment.GetValueOrDefault(name),
                Time = new ImpatientTime(),
            }
        );

        Assert.Equal(1, exitCode);
        Assert.Equal(FullDisk.Words, JsonElement.Parse(error.ToString()).GetProperty("message").GetString());
        Assert.Equal(2, cli.Broker.Calls.Count);
    }

    [Fact]
    public async Task A_pipe_whose_reader_is_gone_ends_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "head(1)");
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/leases", new() { Leases = [CliFixture.Lease()] }, BrokerJson.Default.LeaseListResponse);

        // Nothing changes, so nothing is written after the first line.
        await using var run = ChildProcess.Start(
            "bash",
            [
                "-c",
                "dotnet \"$0\" leases list --watch --interval 1s -o json | head -n 1; echo \"${PIPESTATUS[0]}\"",
                CliRun.Program,
            ],
            cli.Environment
        );
        try
        {
            await run.Process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        }
        finally
        {
            // Where it goes on, it is not the shell.
            run.Process.Kill(entireProcessTree: true);
        }

        Assert.EndsWith("}\n0", run.Output.TrimEnd(), StringComparison.Ordinal);
        Assert.Single(cli.Broker.Calls);
    }

    [Theory]
    [InlineData(429, 30, 30)]
    [InlineData(503, 30, 30)]
    [InlineData(503, 1, 2)]
    [InlineData(503, int.MaxValue, 86400)]
    public async Task Who_asks_to_be_left_alone_for_a_while_is(int status, int asked, int waited)
    {
        await using var cli = await CliFixture.StartAsync();
        Answers(cli, Leases(LeaseStates.Active), Busy, Refusal);
        var time = new ImpatientTime();

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: false, time, "leases", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal([TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(waited)], time.Pauses);

        Task Busy(HttpContext context)
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsJsonAsync(
                new()
                {
                    Title = "Not now",
                    Status = status,
                    Code = "CB3001",
                    RetryAfter = asked,
                },
                BrokerJson.Default.ProblemResponse,
                "application/problem+json"
            );
        }
    }

    [Fact]
    public async Task An_order_is_watched_until_it_is_done()
    {
        await using var cli = await CliFixture.StartAsync();
        var states = new Queue<string>([LeaseStates.Revoking, LeaseStates.Failed, LeaseStates.Revoked]);
        cli.Broker.On(
            "GET /v1/revocations/r-1",
            context =>
                context.Response.WriteAsJsonAsync(Progress(states.Dequeue()), BrokerJson.Default.RevocationResponse)
        );

        var run = await CliRun.RunWatchingAsync(cli.Environment, isDrawn: false, "orders", "show", "r-1", "-o", "json");

        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            [false, false, true],
            run.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonElement.Parse(line).GetProperty("complete").GetBoolean())
        );
    }

    [Theory]
    [InlineData(0, 2, "leases", "list")]
    [InlineData(4, 2, "orders", "show", "r-1")]
    [InlineData(4, 15, "orders", "show", "r-1")]
    [InlineData(0, 2, "approvals", "list")]
    public async Task A_signal_ends_it_with_the_exit_code_of_what_was_seen(
        int exitCode,
        int signal,
        params string[] args
    )
    {
        Signals.SkipWhenIgnored(signal);
        await using var cli = await CliFixture.StartAsync();
        cli.Broker.On("GET /v1/revocations/r-1", Progress(LeaseStates.Failed), BrokerJson.Default.RevocationResponse)
            .On("GET /v1/approvals", new() { Approvals = [] }, BrokerJson.Default.ApprovalListResponse)
            .On("GET /v1/leases", new() { Leases = [CliFixture.Lease()] }, BrokerJson.Default.LeaseListResponse);

        await using var run = cli.Start([.. args, "--watch", "--interval", "1s", "-o", "json"]);
        await Eventually.BecomesTrueAsync(() => Task.FromResult(cli.Broker.Calls.Count >= 2), "it looks again");
        await run.SignalAsync($"{signal}");
        await run.Process.WaitForExitAsync();

        Assert.Equal(exitCode, run.Process.ExitCode);
        Assert.Single(run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task How_often_is_a_fault_where_nothing_is_watched()
    {
        await using var cli = await CliFixture.StartAsync();

        var run = await cli.RunAsync("leases", "list", "--interval", "5s");

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("Add --watch", run.Error, StringComparison.Ordinal);
        Assert.Empty(cli.Broker.Calls);
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", RegexOptions.Multiline)]
    private static partial Regex TimeLine { get; }

    private static void Answers(CliFixture cli, params Func<HttpContext, Task>[] answers)
    {
        var left = new Queue<Func<HttpContext, Task>>(answers);
        cli.Broker.On("GET /v1/leases", context => left.Dequeue()(context));
    }

    private static Func<HttpContext, Task> Leases(params string[] states) =>
        context =>
            context.Response.WriteAsJsonAsync(
                new() { Leases = [.. states.Select(state => CliFixture.Lease(state))] },
                BrokerJson.Default.LeaseListResponse
            );

    private static Task Away(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    private static Task Refusal(HttpContext context)
    {
        context.Response.StatusCode = 403;
        return context.Response.WriteAsJsonAsync(
            new()
            {
                Title = "Role missing",
                Status = 403,
                Code = "CB7001",
            },
            BrokerJson.Default.ProblemResponse,
            "application/problem+json"
        );
    }

    private static RevocationResponse Progress(string state) =>
        new()
        {
            RevocationId = "r-1",
            Complete = LeaseStates.IsFinal(state),
            Counts = new Dictionary<string, int> { [state] = 1 },
            Leases = [CliFixture.Lease(state)],
            StillValid = [],
        };
}

/// <summary>A file on a disk that is full after the line with this text.</summary>
internal sealed class FullDisk(string after) : StringWriter
{
    public const string Words = "No space left on device";

    public override void Write(string? value)
    {
        if (ToString().Contains(after, StringComparison.Ordinal))
        {
            throw new IOException(Words);
        }

        base.Write(value);
    }
}
