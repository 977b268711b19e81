using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using CredBroker.Cli;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.EndToEnd;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Readme;

/// <summary>
/// Every shell line of README.md, pasted as a newcomer pastes it after <c>--keep</c>. <see cref="Lines"/> names each of
/// them in its order: a line that is added, changed or moved must be run here too, or be listed with the reason why
/// not.
/// </summary>
public sealed partial class ReadmeLinesTests
{
    private static readonly Line[] Lines =
    [
        NotRun("dotnet run --project samples/Quickstart  ", "QuickstartTests starts the program that this builds"),
        NotRun("dotnet test ", "this is it"),
        new("dotnet pack ", Where.Installed, "Successfully created package"),
        new("dotnet tool install ", Where.Installed, "was successfully installed"),
        new("dotnet publish src/CredBroker.Server -c Release ", Where.Installed, ""),
        NotRun(
            "dotnet publish src/CredBroker.Server --os linux -t:PublishContainer ",
            "its base image comes from a registry"
        ),
        NotRun("samples/deploy/up.sh ", "needs Docker; DeploySampleTests runs its parts as processes"),
        NotRun(
            "dotnet run --project samples/Quickstart -- --keep",
            "each test here starts the program that this builds"
        ),
        InDevMode("export CREDBROKER_TOKEN_FILE=$DEV/tokens/triage", ""),
        InDevMode("credbroker exchange billing-api-key ", "key: dev-"),
        InDevMode("credbroker exchange agent-mtls ", "Give it back with: credbroker release "),
        InDevMode("credbroker exec billing-api-key ", "The tool has a key of 36 characters."),
        OnRealServers("credbroker exec billing-readonly --as postgres ", "(1 row)"),
        InDevMode("export CREDBROKER_TOKEN_FILE=$DEV/tokens/triage", ""),
        InDevMode("credbroker exchange outgoing-mail-key ", "People have to approve this first", ExitCodes.Unavailable),
        InDevMode("export CREDBROKER_TOKEN_FILE=$DEV/tokens/owner", ""),
        InDevMode("credbroker approvals list", "outgoing-mail-key"),
        InDevMode("ID=", ""),
        InDevMode("credbroker approvals show ", "ask for the missing page"),
        InDevMode("credbroker approvals approve ", "approved"),
        InDevMode("export CREDBROKER_TOKEN_FILE=$DEV/tokens/triage", ""),
        InDevMode("credbroker exchange outgoing-mail-key ", "key: dev-"),
        InDevMode("export CREDBROKER_TOKEN_FILE=$DEV/tokens/admin", ""),
        InDevMode("credbroker leases list ", "  active  triage (triage-1)  agent-mtls "),
        InDevMode(
            "credbroker leases revoke --agent triage --reason \"incident 42\" --dry-run",
            "3 leases would be revoked."
        ),
        InDevMode(
            "credbroker leases revoke --agent triage --reason \"incident 42\"",
            "3 leases over: 1 revoked, 2 ended."
        ),
        InDevMode("credbroker quarantine --agent triage ", "To issue again: credbroker holds lift "),
        InDevMode("credbroker holds list", "agent triage"),
        InDevMode("credbroker policy lint ", "No faults"),
        InDevMode("credbroker policy evaluate --example ", ""),
        InDevMode("credbroker policy evaluate $DEV/request.json ", "allowed by rule triage-reads-invoices"),
        InDevMode("credbroker policy test samples/policies ", "failed: 0, files with faults: 0."),
        InDevMode("export CREDBROKER_TOKEN_FILE=$DEV/tokens/auditor", ""),
        InDevMode("credbroker audit export ", "records written to "),
        InDevMode("credbroker audit verify ", "unaltered and without a gap"),
        InDevMode("credbroker audit show ", "lease.revoked"),
        InDevMode("credbroker vault setup ", "POST /v1/auth/token/roles/cb-prod-billing-readonly"),
        OnRealServers("credbroker vault setup ", "Done: "),
    ];

    private enum Where
    {
        NotRun,
        Installed,
        DevMode,
        RealServers,
    }

    [Fact]
    public void Every_line_is_run_here_or_is_listed_with_a_reason()
    {
        Assert.Equal(
            Lines.Select(line => line.Start),
            ReadmeText.ShellLines.Select(
                (line, index) =>
                    index < Lines.Length && line.StartsWith(Lines[index].Start, StringComparison.Ordinal)
                        ? Lines[index].Start
                        : line
            )
        );
    }

    [Fact]
    public async Task Every_line_runs_as_it_stands_after_the_quickstart_is_kept_running()
    {
        Shell.SkipUnlessAvailable();
        await using var quickstart = StartQuickstart();
        var printed = await PrintedLinesAsync(quickstart);
        var before = Directory.GetFileSystemEntries(Repository.Root).Order();

        var results = await Shell.PasteAsync(printed[..3], ReadmeOf(Where.DevMode));

        Assert.All(
            results.Zip(Lines.Where(line => line.Where == Where.DevMode)),
            pair =>
            {
                var (result, line) = pair;
                Assert.True(result.ExitCode == line.ExitCode, $"{line.Start}: {result}");
                Assert.Contains(line.Says, result.Output, StringComparison.Ordinal);
            }
        );
        Assert.Equal(before, Directory.GetFileSystemEntries(Repository.Root).Order());
    }

    [Fact]
    public async Task The_lines_that_it_prints_run_too_and_so_does_the_one_that_gives_a_secret_back()
    {
        Shell.SkipUnlessAvailable();
        Assert.SkipUnless(Shell.Has("curl"), "No curl on PATH.");
        await using var quickstart = StartQuickstart();
        var printed = await PrintedLinesAsync(quickstart);

        var setup = printed[..3].Append("export CREDBROKER_TOKEN_FILE=$DEV/tokens/triage").ToList();
        var results = await Shell.PasteAsync(setup, [.. printed[3..], ReadmeOf(Where.DevMode)[1]]);

        string[] says =
        [
            "\"leaseId\":",
            "\"leases\":[{",
            "\"type\":\"export.closed\"",
            "\"access_token\":",
            "key: dev-",
        ];
        Assert.All(results, result => Assert.Equal(0, result.ExitCode));
        Assert.All(
            results.Zip(says),
            pair => Assert.Contains(pair.Second, pair.First.Output, StringComparison.Ordinal)
        );
        Assert.Equal(says.Length, results.Count);
        var release = Release().Match(results[^1].Output).Value;
        var released = Assert.Single(await Shell.PasteAsync(setup, [release]));
        Assert.True(released.ExitCode == 0, released.Output);
        Assert.StartsWith("Released: ", released.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_line_with_a_database_runs_on_a_real_OpenBao_and_PostgreSQL()
    {
        Shell.SkipUnlessAvailable();
        Assert.SkipUnless(Shell.Has("psql"), "No psql on PATH: install the package postgresql-client.");
        await using var world = await World.StartAsync();
        var token = Path.Combine(world.Folder, "agent-token");
        await File.WriteAllTextAsync(token, world.Token());

        await RunsAsync(
            ReadmeOf(Where.RealServers)[0],
            Lines.First(line => line.Where == Where.RealServers),
            $"export CREDBROKER_SERVER={world.Broker.Http.BaseAddress} CREDBROKER_TOKEN_FILE={token}"
        );

        Assert.Empty(await world.Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task What_is_installed_by_the_lines_that_say_so_starts()
    {
        Shell.SkipUnlessAvailable();
        using var folder = new TemporaryFolder();
        var (tool, server) = (Path.Combine(folder.Path, "tool"), Path.Combine(folder.Path, "server"));
        string[] lines =
        [
            .. ReadmeOf(Where.Installed)
                .Select(line =>
                    line.Replace("--global", $"--tool-path {tool}", StringComparison.Ordinal)
                        .Replace("/opt/credbroker", server, StringComparison.Ordinal)
                ),
        ];

        // No server of the build outlives the lines.
        var results = await Shell.PasteAsync(
            [$"export PACKAGES={folder.Path}/packages MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false"],
            [.. lines, $"{tool}/credbroker --version", $"{server}/CredBroker.Server --help"]
        );

        Assert.All(results, result => Assert.True(result.ExitCode == 0, result.Output));
        Assert.All(
            results.Zip(Lines.Where(line => line.Where == Where.Installed)),
            pair => Assert.Contains(pair.Second.Says, pair.First.Output, StringComparison.Ordinal)
        );
        Assert.Matches("--dev +not in this build", results[^1].Output);
        // Compiled ahead of time (ECMA-335, II.25.3.3: ManagedNativeHeader), so that it starts sooner.
        using var published = new PEReader(File.OpenRead(Path.Combine(server, "CredBroker.Server.dll")));
        Assert.NotEqual(0, published.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size);
    }

    [Fact]
    public async Task The_sample_policy_is_prepared_in_a_real_OpenBao_by_the_line_that_says_so()
    {
        Shell.SkipUnlessAvailable();
        TestBao.SkipUnlessAvailable();
        await using var postgres = await TestPostgres.StartAsync();
        await using var vault = await TestBao.StartAsync();
        using var folder = new TemporaryFolder();
        var (policy, admin, token) = (folder.File("billing.yaml"), folder.File("admin"), folder.File("operator.token"));
        await File.WriteAllTextAsync(admin, await postgres.CreateAdminAsync());
        await File.WriteAllTextAsync(token, vault.RootToken);
        await File.WriteAllTextAsync(
            policy,
            Replaced(
                await File.ReadAllTextAsync(Path.Combine(Repository.Root, "samples", "policies", "billing.yaml")),
                ("/etc/credbroker/billing-admin", admin),
                ("host: billing-db.acme.example, port: 5432", $"host: 127.0.0.1, port: {postgres.Port}"),
                ("database: billing", $"database: {TestPostgres.Database}"),
                ("sslmode: verify-full", "sslmode: disable")
            )
        );

        var line = Replaced(
            ReadmeOf(Where.RealServers)[1],
            ("samples/policies/billing.yaml", policy),
            ("https://vault.example:8200", vault.Address.GetLeftPart(UriPartial.Authority)),
            ("operator.token", token)
        );
        await RunsAsync(line, Lines.Last(line => line.Where == Where.RealServers));
    }

    private static async Task RunsAsync(string pasted, Line line, params string[] setup)
    {
        string[] all = [.. setup, $"credbroker() {{ dotnet '{CliRun.Program}' \"$@\"; }}"];
        var result = Assert.Single(await Shell.PasteAsync(all, [pasted]));
        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains(line.Says, result.Output, StringComparison.Ordinal);
    }

    private static string[] ReadmeOf(Where where) =>
        [.. ReadmeText.ShellLines.Zip(Lines).Where(pair => pair.Second.Where == where).Select(pair => pair.First)];

    /// <summary>Replaces each text, and fails where it is not there.</summary>
    private static string Replaced(string text, params (string What, string With)[] replacements) =>
        replacements.Aggregate(
            text,
            (changed, one) =>
            {
                Assert.Contains(one.What, changed, StringComparison.Ordinal);
                return changed.Replace(one.What, one.With, StringComparison.Ordinal);
            }
        );

    private static ChildProcess StartQuickstart() =>
        ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "Quickstart.dll"), "--keep"]);

    /// <summary>What it prints to be pasted: the three lines that prepare a terminal, then those for curl.</summary>
    private static async Task<string[]> PrintedLinesAsync(ChildProcess quickstart)
    {
        await Eventually.BecomesTrueAsync(
            () =>
            {
                Assert.False(quickstart.HasExited, quickstart.Output);
                return Task.FromResult(quickstart.Output.Contains("until Ctrl+C", StringComparison.Ordinal));
            },
            "the quickstart is left running"
        );
        var lines = quickstart
            .Output[quickstart.Output.IndexOf("In another terminal", StringComparison.Ordinal)..]
            .Split('\n')
            .Where(line => line.StartsWith("  ", StringComparison.Ordinal));
        return [.. ReadmeText.Joined(lines)];
    }

    private static Line NotRun(string start, string reason) => new(start, Where.NotRun, reason);

    private static Line InDevMode(string start, string says, int exitCode = 0) =>
        new(start, Where.DevMode, says) { ExitCode = exitCode };

    private static Line OnRealServers(string start, string says) => new(start, Where.RealServers, says);

    [GeneratedRegex("credbroker release [0-9a-f]{32}")]
    private static partial Regex Release();

    /// <param name="Start">How the line begins.</param>
    /// <param name="Where">What it runs on.</param>
    /// <param name="Says">A part of what it says; where it is not run, why not.</param>
    private sealed record Line(string Start, Where Where, string Says)
    {
        /// <summary>What it ends with.</summary>
        public int ExitCode { get; init; }
    }
}
