using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Text;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>The contract in a namespace of a real OpenBao, with what only a database shows.</summary>
public sealed class NamespaceTests(NamespacedBao bao) : VaultContractTests, IClassFixture<NamespacedBao>
{
    private BaoEnvironment _environment = null!;

    protected override async Task<VaultOptions> PrepareAsync()
    {
        _environment = await bao.GetAsync();
        return _environment.Options;
    }

    [Fact]
    public async Task What_setup_makes_in_a_namespace_passes_the_check()
    {
        using var check = new VaultCheck(Options, TimeProvider.System, NullLogger<VaultSecretIssuer>.Instance);
        Assert.All(
            await check.RunAsync(
                [Catalogue.KeyValue, Catalogue.Sign, Catalogue.Issue, Catalogue.Token, _environment.Database],
                default
            ),
            finding => Assert.True(finding.Passed, $"{finding.What}: {finding.Detail}")
        );
    }

    [Fact]
    public async Task An_operator_of_the_namespace_alone_sets_up_all_but_what_is_of_the_whole_Vault()
    {
        var bao = _environment.Bao;
        await bao.SendAsync(
            HttpMethod.Post,
            "sys/policies/acl/all",
            new JsonObject
            {
                ["policy"] = """path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }""",
            }
        );
        var made = await bao.SendAsync(
            HttpMethod.Post,
            "auth/token/create",
            new JsonObject { ["policies"] = new JsonArray("all") }
        );
        var token = made.GetProperty("auth").GetProperty("client_token").GetString()!;
        var plan = SetupPlan.For("other", []);
        using var run = new SetupRun(Options, new SecretText(token), TimeProvider.System);

        var report = await run.ApplyAsync(plan, default);

        var left = Assert.Single(report.Findings, finding => finding.State != SetupState.Made);
        Assert.Equal((SetupState.Differs, SetupKind.AuditedHeader), (left.State, left.Step.Kind));
        Assert.Contains("root namespace", Assert.Single(left.Details), StringComparison.Ordinal);
        Assert.False(report.IsComplete);
    }

    [Fact]
    public async Task A_user_is_made_revoked_reaped_and_found_as_an_orphan_in_a_namespace()
    {
        var postgres = _environment.Postgres!;
        var (plan, child, minted) = await IssueAsync(_environment.Database, null);
        Assert.Contains(minted.Handles.PublicName, await postgres.IssuedUsersAsync());
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
        Assert.Empty(await postgres.IssuedUsersAsync());

        // Of the first no record knows; of the second Vault has forgotten, and the database has not.
        var (_, _, orphan) = await IssueAsync(_environment.Database, null);
        var orphans = new OrphanCheck(
            Issuer,
            (_, _) => new(new HashSet<string>(StringComparer.Ordinal)),
            TimeProvider.System
        );
        var found = await orphans.FindAsync([_environment.Database], TimeSpan.FromMinutes(-1), default);
        // What the other tests have left of other credentials is found, too.
        var ofDatabase = Assert.Single(found, finding => finding.Credential == _environment.Database.Name);
        Assert.Equal(orphan.Handles.VaultLeaseId, Assert.Single(ofDatabase.Strays!).VaultLeaseId);
        Assert.IsType<RevokeOutcome.Confirmed>(Assert.Single(await orphans.RevokeAsync([ofDatabase], default)).Outcome);
        Assert.Empty(await postgres.IssuedUsersAsync());
        var (cutShort, _, _) = await IssueAsync(_environment.Database, null);
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(Lease(cutShort, null), default));
        Assert.Empty(await postgres.IssuedUsersAsync());
    }
}

/// <summary>A class fixture: one OpenBao prepared in a namespace, started at first use.</summary>
public sealed class NamespacedBao : IAsyncDisposable
{
    private BaoEnvironment? _environment;

    internal async Task<BaoEnvironment> GetAsync()
    {
        TestPostgres.SkipUnlessAvailable();
        if (_environment is null)
        {
            var bao = await TestBao.StartAsync();
            await bao.EnterNamespaceAsync("team");
            _environment = await BaoEnvironment.StartAsync(
                bao,
                await TestPostgres.StartAsync(),
                Catalogue.KeyValue,
                Catalogue.Sign,
                Catalogue.Issue,
                Catalogue.Token
            );
            await _environment.WriteKeyValueAsync();
        }

        return _environment;
    }

    public ValueTask DisposeAsync() => _environment?.DisposeAsync() ?? ValueTask.CompletedTask;
}
