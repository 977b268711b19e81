using System.Net;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Text;
using CredBroker.Dev;
using CredBroker.Server.Dev;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Dev;

public sealed class DevModeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_prepares_DevVault_for_its_own_policy()
    {
        await using var dev = await DevMode.StartAsync(new DevModeOptions { Port = 0 }, Token);

        var policy = PolicyCompiler.Compile(
            new PolicyDocument { Name = "policy.yaml", Text = await File.ReadAllTextAsync(dev.PolicyFile, Token) }
        );
        Assert.Empty(policy.Faults);
        var options = dev.Settings.GetSection("Vault").Get<VaultOptions>()!;
        Assert.Empty(options.Validate());
        using var setup = new SetupRun(options, new SecretText(dev.Vault.RootToken), TimeProvider.System);
        var report = await setup.CompareAsync(
            SetupPlan.For(DevMode.Installation, policy.Set!.Credentials.Values),
            Token
        );
        Assert.True(
            report.IsUnchanged,
            string.Join('\n', report.Findings.Where(finding => finding.State != SetupState.Present))
        );
    }

    [Fact]
    public async Task The_brokers_token_reads_the_seeded_value_and_can_do_nothing_else_with_it()
    {
        await using var dev = await DevMode.StartAsync(new DevModeOptions { Port = 0 }, Token);
        await using var vault = new DevVaultClient(dev.Vault, ownsVault: false);
        var token = await File.ReadAllTextAsync(dev.Settings["Vault:TokenFile"]!, Token);

        var read = await vault.GetAsync("GET", "secret/data/billing/api-key", token: token);

        Assert.StartsWith("dev-", read["data"]!["data"]!["key"]!.ToString(), StringComparison.Ordinal);
        foreach (
            var (method, path) in new[]
            {
                ("POST", "secret/data/billing/api-key"),
                ("GET", "secret/data/other"),
                ("LIST", "secret/metadata/"),
                ("POST", "pki/sign/cb-dev-agent-mtls"),
                ("POST", "pki/roles/x"),
                ("POST", "auth/token/create"),
                ("PUT", "sys/policies/acl/x"),
                ("GET", "sys/mounts"),
            }
        )
        {
            Assert.Equal(
                HttpStatusCode.Forbidden,
                (await vault.CallAsync(method, path, method == "GET" ? null : "{}", token)).Status
            );
        }
    }

    [Fact]
    public async Task What_it_owns_may_not_be_configured_and_every_such_section_is_named()
    {
        var settings = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["vault:Address"] = "https://vault.example",
                    ["Listen:Agents:Url"] = "https://*:8443",
                    ["Log:Level"] = "Debug",
                }
            )
            .Build();

        var refusal = await Assert.ThrowsAsync<SettingsFaultsException>(() =>
            DevMode.StartAsync(new DevModeOptions { Port = 0, Settings = settings }, Token)
        );

        Assert.Contains("vault is configured", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Listen is configured", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Log is configured", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_users_other_sections_are_kept_and_all_listens_on_loopback()
    {
        var settings = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Log:Level"] = "Debug" })
            .Build();

        await using var dev = await DevMode.StartAsync(new DevModeOptions { Port = 0, Settings = settings }, Token);

        Assert.Equal("Debug", dev.Settings["Log:Level"]);
        Assert.All(
            [dev.Settings["Listen:Agents:Url"]!, dev.Settings["Vault:Address"]!, dev.Issuer.Issuer],
            address => Assert.Equal("127.0.0.1", new Uri(address).Host)
        );
        Assert.Contains("DEV MODE", dev.Describe(new Uri("http://127.0.0.1:8400")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_directory_is_the_users_alone_and_gone_at_the_end()
    {
        string directory;
        await using (var dev = await DevMode.StartAsync(new DevModeOptions { Port = 0 }, Token))
        {
            directory = dev.DataDirectory;
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                    File.GetUnixFileMode(directory)
                );
                Assert.All(
                    Directory.GetFiles(directory, "*", SearchOption.AllDirectories),
                    file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file))
                );
            }
        }

        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task Its_token_files_name_the_agent_and_the_people_and_are_replaced_before_their_tokens_end()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(60));
        await using var issuer = await DevIssuer.StartAsync(0, time, Token);
        using var folder = new TemporaryFolder();
        var tokens = Path.Combine(folder.Path, "tokens");
        await using var files = await DevTokenFiles.StartAsync(issuer, tokens, time, Token);
        Assert.Equal(
            ["admin", "auditor", "owner", "triage"],
            Directory.GetFiles(tokens).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        var first = await File.ReadAllTextAsync(Path.Combine(tokens, "triage"), Token);
        Assert.Equal(3, first.Split('.').Length);

        time.Advance(DevTokenFiles.Life / 2);

        await Eventually.BecomesTrueAsync(
            async () =>
                await File.ReadAllTextAsync(Path.Combine(tokens, "triage"), Token) != first
                && Directory.GetFiles(tokens).Length == DevPerson.All.Count + 1,
            "the file is replaced"
        );
    }
}
