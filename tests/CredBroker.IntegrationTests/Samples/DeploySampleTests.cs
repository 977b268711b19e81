using System.Text.RegularExpressions;
using CredBroker.IntegrationTests.Cli;
using CredBroker.IntegrationTests.Readme;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Servers;

namespace CredBroker.IntegrationTests.Samples;

/// <summary>
/// <c>samples/deploy</c>: its scripts, settings, policy and provider run here as they are, as processes on loopback instead
/// of containers. What only containers have (images, volumes, users) is compared as text.
/// </summary>
public sealed partial class DeploySampleTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);
    private static readonly string Sample = Path.Combine(Repository.Root, "samples", "deploy");
    private static readonly string Provider = Path.Combine(
        Repository.Root,
        "tests",
        "CredBroker.IntegrationTests",
        "OidcProvider",
        "node_modules"
    );

    [Fact]
    public async Task From_nothing_to_an_agents_psql_with_a_user_of_its_own()
    {
        Shell.SkipUnlessAvailable();
        TestPostgres.SkipUnlessAvailable();
        TestBao.SkipUnlessAvailable();
        foreach (var program in new[] { "node", "openssl", "curl", "psql" })
        {
            Assert.SkipUnless(Shell.Has(program), $"No {program} on PATH.");
        }

        Assert.SkipUnless(Directory.Exists(Provider), "No oidc-provider: npm ci in tests/.../OidcProvider.");
        using var folder = new TemporaryFolder();
        var here = new Here(folder.Path);
        await here.RunAsync("prepare.sh");
        var state = here.State;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{state}/operator/token"));

        await using var postgres = await TestPostgres.StartAsync(
            tls: new(
                await File.ReadAllTextAsync($"{state}/postgres/tls.pem"),
                await File.ReadAllTextAsync($"{state}/postgres/tls.key")
            )
        );
        // The image has no database of this name; this server has.
        await postgres.ExecuteAsync($"DROP DATABASE {TestPostgres.Database}", database: "postgres");
        here.Move(postgres.Port);
        here.Environment["PGHOST"] = "127.0.0.1";
        here.Environment["PGPORT"] = $"{postgres.Port}";
        here.Environment["PGUSER"] = TestPostgres.Superuser;
        here.Environment["PGPASSWORD"] = TestPostgres.SuperuserPassword;
        here.Environment["PGDATABASE"] = "postgres";
        await here.RunAsync("postgres.sh");
        foreach (var name in here.Environment.Keys.Where(name => name.StartsWith("PG", StringComparison.Ordinal)))
        {
            here.Environment.Remove(name);
        }

        here.Environment["PGSSLROOTCERT"] = $"{state}/ca.pem";
        await using var vault = here.Start("sh", "openbao.sh");
        await here.RunAsync("setup.sh");
        await using var idp = here.Start("node", "idp/idp.js");
        await using var identity = here.Start("node", "idp/token.js");
        var server = typeof(BrokerHost).Assembly.Location;
        var settings = here.File("appsettings.json");
        await ChildProcess.RunAsync("dotnet", server, "--check", "--settings", settings);
        await using var broker = here.Start("dotnet", server, "--settings", settings);

        var said = await here.RunAsync("agent.sh", broker, identity, idp);

        Assert.Matches("cb-[0-9a-f]+_[A-Za-z0-9]+", said);
        Assert.Matches(@"Acme +\| +220.40", said);
        Assert.Equal(0, await postgres.CountAsync("pg_roles WHERE rolname LIKE 'cb-%'"));
    }

    [Fact]
    public async Task What_compose_starts_is_there()
    {
        var compose = await File.ReadAllTextAsync(Path.Combine(Sample, "compose.yaml"));

        Assert.All(
            SampleFile().Matches(compose).Select(match => match.Groups["file"].Value),
            file => Assert.True(File.Exists(Path.Combine(Sample, file)), $"There is no {file}.")
        );
        // A service that names another waits for one that exists.
        var services = Service().Matches(compose).Select(match => match.Groups["name"].Value).ToHashSet();
        Assert.All(
            Dependency().Matches(compose).Select(match => match.Groups["name"].Value),
            name => Assert.Contains(name, services)
        );
        // A container that can be told what it is does not run another one's words.
        Assert.DoesNotContain(":latest", compose, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_service_runs_as_nobody_in_particular_and_writes_its_state_alone()
    {
        var unit = await File.ReadAllTextAsync(Path.Combine(Sample, "credbroker.service"));

        Assert.All(
            new[] { "User=credbroker", "ProtectSystem=strict", "NoNewPrivileges=true", "CapabilityBoundingSet=\n" },
            line => Assert.Contains(line, unit, StringComparison.Ordinal)
        );
        if (Shell.Has("systemd-analyze"))
        {
            using var folder = new TemporaryFolder();
            var copy = Path.Combine(folder.Path, "credbroker.service");
            await File.WriteAllTextAsync(
                copy,
                unit.Replace("/opt/credbroker/CredBroker.Server", "/bin/true", StringComparison.Ordinal)
            );
            Assert.Equal("", (await ChildProcess.RunAsync("systemd-analyze", "verify", copy)).Trim());
        }
    }

    [GeneratedRegex(@"(?<=\./|/deploy/)(?<file>[\w./-]+\.(sh|json|js|yaml)\b)")]
    private static partial Regex SampleFile();

    [GeneratedRegex(@"^  (?<name>\w+):.*$(?=\n    image:)", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex(@"(?<name>\w+): \{ condition:")]
    private static partial Regex Dependency();

    /// <summary>A copy of the sample in which the containers' names and folders are this machine's.</summary>
    private sealed class Here
    {
        private readonly string _folder;

        public Here(string folder)
        {
            _folder = folder;
            var (vault, plain, idp, broker) = (
                LoopbackPort.Next(),
                LoopbackPort.Next(),
                LoopbackPort.Next(),
                LoopbackPort.Next()
            );
            foreach (var path in Directory.GetFiles(Sample, "*", SearchOption.AllDirectories))
            {
                var name = Path.GetRelativePath(Sample, path);
                if (name.StartsWith("out", StringComparison.Ordinal) || name.Contains("node_modules"))
                {
                    continue;
                }

                var target = Path.Combine(folder, "deploy", name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                System.IO.File.WriteAllText(
                    target,
                    System
                        .IO.File.ReadAllText(path)
                        .Replace("/tmp/", $"{folder}/", StringComparison.Ordinal)
                        .Replace("https://idp:3000", $"https://localhost:{idp}", StringComparison.Ordinal)
                        .Replace("https://openbao:8201", $"https://localhost:{vault}", StringComparison.Ordinal)
                        .Replace("0.0.0.0:8201", $"127.0.0.1:{vault}", StringComparison.Ordinal)
                        .Replace("127.0.0.1:8200", $"127.0.0.1:{plain}", StringComparison.Ordinal)
                        .Replace("https://*:8443", $"https://localhost:{broker}", StringComparison.Ordinal)
                        .Replace("\"/state/", $"\"{State}/", StringComparison.Ordinal)
                        .Replace(" /state/", $" {State}/", StringComparison.Ordinal)
                        .Replace("\"/deploy/", $"\"{folder}/deploy/", StringComparison.Ordinal)
                        .Replace("exec bao ", $"exec {TestBao.FindBinary()} ", StringComparison.Ordinal)
                );
            }

            Directory.CreateSymbolicLink(Path.Combine(folder, "deploy", "idp", "node_modules"), Provider);
            Environment = new()
            {
                ["STATE"] = State,
                ["DEPLOY"] = Path.Combine(folder, "deploy"),
                ["ISSUER"] = $"https://localhost:{idp}",
                ["CREDBROKER"] = $"dotnet {CliRun.Program}",
                ["CREDBROKER_SERVER"] = $"https://localhost:{broker}",
                ["NODE_EXTRA_CA_CERTS"] = $"{State}/ca.pem",
            };
        }

        public string State => Path.Combine(_folder, "state");

        public Dictionary<string, string> Environment { get; }

        public string File(string name) => Path.Combine(_folder, "deploy", name);

        /// <summary>Leads what names the container of PostgreSQL to this port.</summary>
        public void Move(int port)
        {
            foreach (var path in new[] { File("policy.yaml"), Path.Combine(State, "broker", "store") })
            {
                System.IO.File.WriteAllText(
                    path,
                    System
                        .IO.File.ReadAllText(path)
                        .Replace(
                            "host: postgres, port: 5432",
                            $"host: localhost, port: {port}",
                            StringComparison.Ordinal
                        )
                        .Replace("Host=postgres;Port=5432", $"Host=localhost;Port={port}", StringComparison.Ordinal)
                );
            }
        }

        public ChildProcess Start(string program, params string[] line) =>
            ChildProcess.Start(
                program,
                [Path.IsPathRooted(line[0]) ? line[0] : File(line[0]), .. line[1..]],
                Environment
            );

        /// <summary>Runs a script of the sample to its end.</summary>
        public async Task<string> RunAsync(string script, params ChildProcess[] beside)
        {
            await using var run = Start("sh", script);
            using var patience = new CancellationTokenSource(Longest, TimeProvider.System);
            await run.Process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Assert.True(
                run.Process.HasExited && run.Process.ExitCode == 0,
                $"{script}: {run.Output}\n{string.Join('\n', beside.Select(process => process.Output))}"
            );
            return run.Output;
        }
    }
}
