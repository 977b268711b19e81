using System.Diagnostics;
using System.Text.Json.Nodes;
using CredBroker.Core.Policy;
using CredBroker.Core.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Vault.Setup;

namespace CredBroker.IntegrationTests.Vault;

/// <content>What setup changes as the catalogue changes, what it leaves alone, and the script that it prints.</content>
public sealed partial class SetupTests
{
    [Fact]
    public async Task What_is_its_own_is_shown_line_by_line_and_changed_and_a_policy_that_somebody_edited_is_not()
    {
        const string Role = "auth/token/roles/cb-test-deploy";
        const string DatabaseRole = "database/roles/cb-test-billing-readonly";
        const string Edited = "sys/policies/acl/cb-test-agent-tls";
        await ChangeAsync(Role, "token_explicit_max_ttl", 86400);
        await ChangeAsync(DatabaseRole, "revocation_statements", new JsonArray("SELECT 'nothing at all'"));
        await Bao.SendAsync(HttpMethod.Post, Edited, new JsonObject { ["policy"] = "# mine" });
        using var run = new SetupRun(Environment.Options, new SecretText(Bao.RootToken), TimeProvider.System);

        var compared = await run.CompareAsync(SetupPlan.For("test", Entries), default);

        Assert.Equal(
            [(Edited, SetupState.Differs), (DatabaseRole, SetupState.Outdated), (Role, SetupState.Outdated)],
            compared
                .Findings.Where(finding => finding.State != SetupState.Present)
                .Select(finding => (finding.Step.Path, finding.State))
        );
        Assert.Equal(["token_explicit_max_ttl: 86400 → 630"], DetailsOf(compared, Role));
        Assert.Contains("- SELECT 'nothing at all'", DetailsOf(compared, DatabaseRole));
        Assert.Contains("+ COMMIT;", DetailsOf(compared, DatabaseRole));
        Assert.Contains("- # mine", DetailsOf(compared, Edited));
        Assert.Equal("86400", await ReadAsync(Role, "token_explicit_max_ttl"));

        var applied = await run.ApplyAsync(compared, default);

        Assert.False(applied.IsComplete);
        Assert.Equal(
            [DatabaseRole, Role],
            applied.Findings.Where(finding => finding.State == SetupState.Updated).Select(finding => finding.Step.Path)
        );
        Assert.Equal("630", await ReadAsync(Role, "token_explicit_max_ttl"));
        Assert.Equal("# mine", await ReadAsync(Edited, "policy"));
        await Bao.SendAsync(HttpMethod.Delete, Edited);
    }

    [Fact]
    public async Task A_mount_and_what_is_anybody_elses_is_used_and_never_changed()
    {
        await Bao.SendAsync(HttpMethod.Post, "sys/mounts/old-kv", new JsonObject { ["type"] = "kv" });
        var foreign = new JsonObject { ["policy"] = "# the neighbour's" };
        await Bao.SendAsync(HttpMethod.Post, "sys/policies/acl/cb-testing-broker", foreign);
        var entry = Catalogue.Entry("old", new VaultBinding.KeyValue("old-kv", "a"));

        var report = await Environment.SetUpAsync([.. Entries, entry]);

        var mount = Assert.Single(report.Findings, finding => finding.Step.Name == "old-kv");
        Assert.Equal(SetupState.Differs, mount.State);
        Assert.StartsWith("options: ", Assert.Single(mount.Details), StringComparison.Ordinal);
        Assert.Equal("# the neighbour's", await ReadAsync("sys/policies/acl/cb-testing-broker", "policy"));
        using var run = new SetupRun(Environment.Options, new SecretText(Bao.RootToken), TimeProvider.System);
        var leftOver = await run.FindLeftOverAsync(SetupPlan.For("test", []), default);
        Assert.DoesNotContain(leftOver.Paths, path => path.Contains("testing", StringComparison.Ordinal));
        await Bao.SendAsync(HttpMethod.Delete, "sys/mounts/old-kv");
        await Bao.SendAsync(HttpMethod.Delete, "sys/policies/acl/cb-testing-broker");
    }

    [Fact]
    public async Task What_the_catalogue_needs_no_more_is_listed_and_stays()
    {
        using var run = new SetupRun(Environment.Options, new SecretText(Bao.RootToken), TimeProvider.System);
        var plan = SetupPlan.For("test", [Catalogue.KeyValue, Catalogue.Issue, Catalogue.Token]);

        var leftOver = await run.FindLeftOverAsync(plan, default);
        await run.ApplyAsync(plan, default);

        Assert.Empty(leftOver.NotSearched);
        string[] expected =
        [
            "auth/token/roles/cb-test-agent-mtls",
            "database/config/cb-test-billing",
            "database/roles/cb-test-billing-readonly",
            "database/roles/cb-test-billing-readonly-reap",
            "pki/roles/cb-test-agent-mtls",
            "sys/policies/acl/cb-test-billing-readonly-reap",
        ];
        Assert.All(expected, path => Assert.Contains(path, leftOver.Paths));
        Assert.DoesNotContain("pki/roles/cb-test-agent-tls", leftOver.Paths);
        foreach (var path in expected)
        {
            await Bao.SendAsync(HttpMethod.Get, path);
        }

        Assert.True((await Environment.SetUpAsync(Entries)).IsComplete);
    }

    [Fact]
    public async Task All_faults_of_the_files_are_found_before_the_first_call_and_nothing_is_made()
    {
        var folder = Directory.CreateTempSubdirectory("credbroker-setup-");
        var (missing, wrong) = (Path.Combine(folder.FullName, "gone"), Path.Combine(folder.FullName, "wrong"));
        await File.WriteAllTextAsync(wrong, "hunter2-without-a-user");
        CatalogueEntry[] entries = [On("first", missing), On("second", wrong)];

        var report = await Environment.SetUpAsync(entries);

        Assert.Equal(
            [$"{missing} is not there.", $"{wrong} does not hold user:password on one line."],
            report.FileFaults
        );
        Assert.DoesNotContain("hunter2", string.Concat(report.FileFaults), StringComparison.Ordinal);
        Assert.DoesNotContain(report.Findings, finding => finding.State is SetupState.Made or SetupState.Updated);
        using var role = await Bao.CallAsync(HttpMethod.Get, "auth/token/roles/cb-test-first");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, role.StatusCode);

        // No Vault is needed to see them.
        using var nowhere = new SetupRun(
            Environment.Options with
            {
                Address = "http://127.0.0.1:1",
            },
            new SecretText("x"),
            TimeProvider.System
        );
        Assert.Equal(report.FileFaults, (await nowhere.ApplyAsync(SetupPlan.For("test", entries), default)).FileFaults);
        folder.Delete(recursive: true);

        CatalogueEntry On(string name, string file)
        {
            var entry = Environment.DatabaseEntry(name);
            return entry with { Setup = entry.Setup! with { Connection = name, AdminCredentialFile = file } };
        }
    }

    [Fact]
    public async Task A_connection_that_changes_keeps_the_password_that_Vault_has_rotated()
    {
        const string Connection = "database/config/cb-test-billing";
        var content = await File.ReadAllTextAsync(Environment.AdminFile);
        await ChangeAsync(Connection, "max_open_connections", 3, "connection_details");
        await Bao.SendAsync(HttpMethod.Post, "database/rotate-root/cb-test-billing", new JsonObject());
        File.Delete(Environment.AdminFile);

        var report = await Environment.SetUpAsync(Entries);

        Assert.True(report.IsComplete);
        var changed = Assert.Single(report.Findings, finding => finding.State == SetupState.Updated);
        Assert.Equal((Connection, "max_open_connections: 3 → 16"), (changed.Step.Path, Assert.Single(changed.Details)));
        var made = await Bao.SendAsync(HttpMethod.Get, "database/creds/cb-test-billing-readonly");
        Assert.NotEqual("", made.GetProperty("data").GetProperty("username").GetString());

        // The administrator gets back the password that other tests know.
        var (user, password) = (content.Trim().Split(':')[0], content.Trim().Split(':')[1]);
        await Environment.Postgres!.ExecuteAsync($"ALTER ROLE {user} PASSWORD '{password}'");
        await File.WriteAllTextAsync(Environment.AdminFile, content);
        await Bao.SendAsync(
            HttpMethod.Post,
            Connection,
            new JsonObject { ["username"] = user, ["password"] = password }
        );
    }

    [Fact]
    public async Task The_printed_script_does_it_all_and_a_second_time_too()
    {
        await using var bao = await TestBao.StartAsync();
        var entries = Entries;
        var plan = SetupPlan.For("test", entries);
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, SetupRenderer.Shell(plan));
        using var run = new SetupRun(
            Environment.Options with
            {
                Address = bao.Address.ToString(),
            },
            new SecretText(bao.RootToken),
            TimeProvider.System
        );

        for (var time = 0; time < 2; time++)
        {
            var (exitCode, output) = await RunAsync(script, bao, "");

            Assert.True(exitCode == 0, output);
            var report = await run.CompareAsync(plan, default);
            Assert.True(
                report.IsUnchanged,
                output
                    + string.Join(
                        '\n',
                        report
                            .Findings.Where(finding => finding.State != SetupState.Present)
                            .Select(finding =>
                                $"{finding.Step.Path} {finding.State} {string.Join("; ", finding.Details)}"
                            )
                    )
            );
        }

        // The reaper that was tried made the role that inherits, as --apply has it, and a file with a fault stops it all.
        var (stopped, why) = await RunAsync(script, bao, Environment.AdminFile + ".none");
        Assert.NotEqual(0, stopped);
        Assert.Contains("billing-admin.none is not there", why, StringComparison.Ordinal);
        Assert.DoesNotContain("written", why, StringComparison.Ordinal);
        File.Delete(script);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string script, TestBao bao, string otherFile)
    {
        if (otherFile.Length > 0)
        {
            var text = await File.ReadAllTextAsync(script);
            await File.WriteAllTextAsync(
                script,
                text.Replace(otherFile[..^".none".Length], otherFile, StringComparison.Ordinal)
            );
        }

        using var process = Process.Start(
            new ProcessStartInfo("sh", [script])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment =
                {
                    ["VAULT_CLI"] = TestBao.FindBinary(),
                    ["BAO_ADDR"] = bao.Address.ToString(),
                    ["VAULT_ADDR"] = bao.Address.ToString(),
                    ["BAO_TOKEN"] = bao.RootToken,
                    ["VAULT_TOKEN"] = bao.RootToken,
                },
            }
        )!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    /// <summary>As somebody does by hand.</summary>
    private async Task ChangeAsync(string path, string member, JsonNode value, string? below = null)
    {
        var data = JsonNode
            .Parse((await Bao.SendAsync(HttpMethod.Get, path)).GetProperty("data").GetRawText())!
            .AsObject();
        var body = below is null ? data : data[below]!.DeepClone().AsObject();
        body[member] = value;
        await Bao.SendAsync(HttpMethod.Post, path, body);
    }

    private async Task<string> ReadAsync(string path, string member) =>
        (await Bao.SendAsync(HttpMethod.Get, path)).GetProperty("data").GetProperty(member).ToString();

    private static IReadOnlyList<string> DetailsOf(SetupReport report, string path) =>
        report.Findings.Single(finding => finding.Step.Path == path).Details;
}
