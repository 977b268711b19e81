using CredBroker.Client;
using CredBroker.IntegrationTests.EndToEnd;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Cli;

/// <summary>
/// <c>exec --as postgres</c> with nothing faked: psql on a real PostgreSQL as a user that a real OpenBao made for this
/// command alone.
/// </summary>
public sealed class ExecPostgresTests
{
    [Fact]
    public async Task Psql_works_as_a_user_of_its_own_that_is_gone_when_it_ends()
    {
        await using var world = await World.StartAsync();
        var environment = await EnvironmentAsync(world);

        await using var run = Exec(
            environment,
            "psql",
            "-At",
            "-c",
            "select current_user, count(*) from billing.invoices"
        );
        await run.Process.WaitForExitAsync();

        Assert.True(run.Process.ExitCode == 0, run.Output);
        var lease = Assert.Single(await world.LeasesAsync());
        Assert.StartsWith($"cb-{lease.LeaseId}_", run.Output, StringComparison.Ordinal);
        Assert.EndsWith("|2", run.Output.Trim(), StringComparison.Ordinal);
        Assert.Equal((LeaseStates.Revoked, "released"), (lease.State, lease.Revocation?.Cause));
        Assert.Empty(await world.Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task A_query_that_is_interrupted_leaves_no_user_either()
    {
        await using var world = await World.StartAsync();
        var environment = await EnvironmentAsync(world);

        await using var run = Exec(environment, "psql", "-At", "-c", "select pg_sleep(100)");
        await Eventually.BecomesTrueAsync(
            async () =>
                (await world.Postgres.IssuedUsersAsync()).Count == 1
                && (await world.LeasesAsync()).Any(lease => lease.State == LeaseStates.Active),
            "the user exists"
        );
        await ChildProcess.RunAsync("kill", "-TERM", $"{run.Process.Id}");
        await run.Process.WaitForExitAsync();

        Assert.NotEqual(0, run.Process.ExitCode);
        Assert.Equal(LeaseStates.Revoked, Assert.Single(await world.LeasesAsync()).State);
        Assert.Empty(await world.Postgres.IssuedUsersAsync());
    }

    private static ChildProcess Exec(Dictionary<string, string> environment, params string[] command) =>
        ChildProcess.Start(
            "dotnet",
            [
                CliRun.Program,
                "exec",
                World.Credential,
                "--as",
                "postgres",
                "--process",
                "invoice-triage",
                "--task",
                "t-1",
                "--purpose",
                "sort invoices",
                "--action",
                "read",
                "--",
                .. command,
            ],
            environment
        );

    private static async Task<Dictionary<string, string>> EnvironmentAsync(World world)
    {
        Assert.SkipUnless(
            Environment
                .GetEnvironmentVariable("PATH")!
                .Split(':')
                .Any(folder => File.Exists(Path.Combine(folder, "psql"))),
            "There is no psql on PATH."
        );
        var token = Path.Combine(world.Folder, "agent-token");
        await File.WriteAllTextAsync(token, world.Token());
        return new()
        {
            ["CREDBROKER_SERVER"] = world.Broker.Http.BaseAddress!.ToString(),
            ["CREDBROKER_TOKEN_FILE"] = token,
        };
    }
}
