using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Text;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.IntegrationTests.Vault;

/// <summary><c>vault setup</c> and <c>vault check</c> on a real OpenBao with a real PostgreSQL.</summary>
public sealed partial class SetupTests(PreparedDatabase prepared) : IClassFixture<PreparedDatabase>, IAsyncLifetime
{
    private BaoEnvironment? _environment;

    private BaoEnvironment Environment => _environment!;

    private TestBao Bao => Environment.Bao;

    private CatalogueEntry[] Entries =>
        [Environment.Database, Catalogue.KeyValue, Catalogue.Sign, Catalogue.Issue, Catalogue.Token];

    public async ValueTask InitializeAsync()
    {
        _environment = await prepared.GetAsync();
        await Environment.SetUpAsync(Entries);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_second_run_finds_everything_and_writes_nothing()
    {
        var log = new FileInfo(Bao.AuditLogPath).Length;

        var report = await Environment.SetUpAsync(Entries);

        Assert.True(
            report.IsUnchanged,
            string.Join(
                '\n',
                report
                    .Findings.Where(finding => finding.State != SetupState.Present)
                    .Select(finding => $"{finding.Step.Path} {finding.State} {string.Join("; ", finding.Details)}")
            )
        );
        var written = (await File.ReadAllTextAsync(Bao.AuditLogPath))[(int)log..];
        Assert.DoesNotContain("\"operation\":\"update\"", written);
        Assert.DoesNotContain("\"operation\":\"create\"", written);
    }

    [Fact]
    public async Task A_comparison_writes_nothing_and_says_what_is_missing()
    {
        var entry = Environment.DatabaseEntry("billing-extra");
        using var run = new SetupRun(Environment.Options, new SecretText(Bao.RootToken), TimeProvider.System);

        var report = await run.CompareAsync(SetupPlan.For("test", [.. Entries, entry]), default);

        Assert.Equal(
            [
                "auth/token/roles/cb-test-billing-extra",
                "auth/token/roles/cb-test-billing-extra-reap",
                "database/roles/cb-test-billing-extra",
                "database/roles/cb-test-billing-extra-reap",
                "sys/policies/acl/cb-test-billing-extra",
                "sys/policies/acl/cb-test-billing-extra-reap",
            ],
            report
                .Findings.Where(finding => finding.State == SetupState.Missing)
                .Select(finding => finding.Step.Path)
                .Order()
        );
        using var answer = await Bao.CallAsync(HttpMethod.Get, "database/roles/cb-test-billing-extra");
        Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task The_brokers_policy_follows_the_catalogue_as_long_as_nobody_has_edited_it()
    {
        var report = await Environment.SetUpAsync([.. Entries, Environment.DatabaseEntry("billing-more")]);

        Assert.True(report.IsComplete);
        Assert.Equal(
            ["cb-test-broker"],
            report.Findings.Where(finding => finding.State == SetupState.Updated).Select(finding => finding.Step.Name)
        );
    }

    [Fact]
    public async Task No_rendering_shows_what_the_credential_file_holds()
    {
        var plan = SetupPlan.For("test", Entries);

        var renderings = new[]
        {
            SetupRenderer.ApiCalls(plan),
            SetupRenderer.Shell(plan),
            SetupRenderer.Terraform(plan),
        };

        Assert.All([.. renderings, SetupRenderer.Hcl(plan)], text => Assert.DoesNotContain("cb_admin", text));
        Assert.All(renderings, text => Assert.Contains("billing-admin", text));
        Assert.DoesNotContain("cb_admin-password", await File.ReadAllTextAsync(Bao.AuditLogPath));
    }

    [Fact]
    public async Task A_wrong_administrators_password_stops_setup_in_Vaults_words()
    {
        var wrong = Path.GetTempFileName();
        await File.WriteAllTextAsync(wrong, "cb_admin:wrong-password-of-the-test");
        var entry = Environment.DatabaseEntry("other-reader");
        entry = entry with { Setup = entry.Setup! with { Connection = "other", AdminCredentialFile = wrong } };

        var report = await Environment.SetUpAsync([entry]);

        var failed = Assert.Single(report.Findings, finding => finding.State == SetupState.Failed);
        Assert.Equal("database/config/cb-test-other", failed.Step.Path);
        Assert.DoesNotContain("wrong-password-of-the-test", string.Concat(failed.Details));
        File.Delete(wrong);
    }

    [Fact]
    public async Task The_check_finds_nothing_wrong_after_setup()
    {
        await Environment.SetUpAsync(Entries);
        using var check = new VaultCheck(
            Environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );

        var findings = await check.RunAsync(Entries, default);

        Assert.All(findings, finding => Assert.True(finding.Passed, $"{finding.What}: {finding.Detail}"));
        Assert.True(findings.Count > 30);
    }

    [Fact]
    public async Task The_check_names_a_broker_token_that_can_do_too_much()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Bao.RootToken);
        using var check = new VaultCheck(
            Environment.Options with
            {
                TokenFile = file,
            },
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );

        var findings = await check.RunAsync(Entries, default);

        Assert.Contains(
            findings,
            finding =>
                !finding.Passed && !finding.MeansNothing && finding.Detail.Contains("root", StringComparison.Ordinal)
        );
        // A root token may do everything: what asks for a right passes with it, and what asks for the lack of one fails.
        var rights = findings
            .Where(finding =>
                finding.What.StartsWith("cannot ", StringComparison.Ordinal)
                || finding.What.StartsWith("keep the store's anchor", StringComparison.Ordinal)
                || finding.What.StartsWith("make a token", StringComparison.Ordinal)
                || finding.What.Contains(": read ", StringComparison.Ordinal)
                || finding.What.Contains(": list the leases", StringComparison.Ordinal)
            )
            .ToList();
        Assert.True(rights.Count > 20);
        Assert.All(rights, finding => Assert.True(finding is { Passed: false, MeansNothing: true }, finding.What));
        Assert.All(findings.Except(rights), finding => Assert.False(finding.MeansNothing, finding.What));
        Assert.All(
            findings.Where(finding => finding.What.Contains(": token role", StringComparison.Ordinal)),
            finding => Assert.Contains("a root token does not show", finding.Detail, StringComparison.Ordinal)
        );
        File.Delete(file);
    }

    [Fact]
    public async Task The_brokers_own_token_cannot_make_a_single_forbidden_call()
    {
        await Environment.SetUpAsync(Entries);
        var token = (await File.ReadAllTextAsync(Environment.Options.TokenFile)).Trim();
        var calls = ForbiddenCall.For("test", Entries);
        Assert.True(calls.Count >= 12);

        foreach (var call in calls)
        {
            using var answer = await Bao.CallAsync(
                new(call.Method),
                call.Path,
                call.Method == "POST" ? new JsonObject() : null,
                token
            );
            Assert.True(
                (int)answer.StatusCode == 403,
                $"{call.Method} {call.Path} answered {(int)answer.StatusCode}: the broker could {call.Why}"
            );
        }
    }

    [Theory]
    // What it may call, it may call only as setup says.
    [InlineData("auth/token/create/cb-test-deploy", """{"policies":["root"]}""")]
    [InlineData("auth/token/create/cb-test-deploy", """{"ttl":"60s","period":"24h"}""")]
    [InlineData("auth/token/create/cb-test-deploy", """{"ttl":"60s","no_parent":true,"id":"s.chosen"}""")]
    [InlineData("sys/leases/revoke", """{"lease_id":"auth/approle/login/somebody","sync":true}""")]
    [InlineData("sys/leases/revoke", """{"lease_id":"database/creds/cb-production-x/1","sync":true}""")]
    [InlineData("sys/leases/lookup", """{"lease_id":"auth/token/create/1"}""")]
    public async Task The_brokers_own_token_cannot_say_more_than_it_needs_to(string path, string body)
    {
        var token = (await File.ReadAllTextAsync(Environment.Options.TokenFile)).Trim();

        using var answer = await Bao.CallAsync(HttpMethod.Post, path, JsonNode.Parse(body), token);

        Assert.Equal(System.Net.HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Strays_are_found_once_they_are_old_enough_and_revoked()
    {
        using var issuer = new VaultSecretIssuer(
            Environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        await Bao.SendAsync(HttpMethod.Get, "database/creds/cb-test-billing-readonly");
        var held = await Bao.SendAsync(HttpMethod.Get, "database/creds/cb-test-billing-readonly");
        var known = held.GetProperty("lease_id").GetString()!;
        var check = new OrphanCheck(
            issuer,
            (_, _) => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string> { known }),
            TimeProvider.System
        );

        Assert.Empty(
            Assert
                .Single(
                    await check.FindAsync([Environment.Database, Catalogue.KeyValue], TimeSpan.FromHours(1), default)
                )
                .Strays!
        );
        var findings = await check.FindAsync([Environment.Database], TimeSpan.Zero, default);
        var (stray, outcome) = Assert.Single(await check.RevokeAsync(findings, default));

        Assert.IsType<RevokeOutcome.Confirmed>(outcome);
        Assert.NotEqual(known, stray.VaultLeaseId);
        var user = held.GetProperty("data");
        Assert.True(
            await Environment.Postgres!.CanLogInAsync(
                user.GetProperty("username").GetString()!,
                user.GetProperty("password").GetString()!
            )
        );
    }
}
