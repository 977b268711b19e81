using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Vault;
using CredBroker.Vault.Check;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Users of a real PostgreSQL of which a real OpenBao knows nothing: its list shows none, and the reaper that
/// <c>vault setup</c> made removes them.
/// </summary>
public sealed class ReaperTests(PreparedDatabase database) : IClassFixture<PreparedDatabase>, IAsyncLifetime
{
    private BaoEnvironment? _environment;
    private VaultSecretIssuer? _issuer;

    private BaoEnvironment Environment => _environment!;

    private TestPostgres Postgres => Environment.Postgres!;

    private VaultSecretIssuer Issuer => _issuer!;

    public async ValueTask InitializeAsync()
    {
        _environment = await database.GetAsync();
        // Whatever the test before this one left in the shared server.
        Assert.True((await Environment.SetUpAsync([Environment.Database])).IsComplete);
        _issuer = new(Environment.Options, TimeProvider.System, NullLogger<VaultSecretIssuer>.Instance);
    }

    public ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_user_that_Vault_did_not_register_is_removed_with_its_sessions_and_nobody_elses_is()
    {
        var (lease, other) = (await PreparedAsync(), await PreparedAsync());
        var (lost, spared) = ($"cb-{lease.Id}_Ab3dEf6h", $"cb-{other.Id}_Ab3dEf6h");
        await LeaveBehindAsync(lost);
        await LeaveBehindAsync(spared);
        await using var session = await Postgres.ConnectAsync(lost, "left-behind");
        await using (var own = session.CreateCommand())
        {
            own.CommandText = "SELECT lo_create(0)";
            await own.ExecuteScalarAsync();
        }

        // The trap: the accessor is revoked, the list is empty, and the user can log in.
        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.RevokeAsync(lease, default));
        Assert.Empty(
            Assert
                .IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Environment.Database, default))
                .VaultLeaseIds
        );
        Assert.True(await Postgres.CanLogInAsync(lost, "left-behind"));

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(lease, default));

        Assert.Equal([spared], await Postgres.IssuedUsersAsync());
        Assert.Equal(0, await Postgres.SessionsAsync(lost));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(lease, default));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(other, default));
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task A_mint_whose_commit_is_still_on_its_way_makes_no_user_once_the_backend_was_asked()
    {
        var lease = await PreparedAsync();
        await using var mint = await Postgres.ConnectAsync("cb_admin", "cb_admin-password");
        await using var transaction = await mint.BeginTransactionAsync();
        var statements = PostgresStatements.Creation(Environment.Database.Setup!.Grants);
        foreach (var statement in statements.TakeWhile(statement => statement != "COMMIT;"))
        {
            await using var command = mint.CreateCommand();
            command.CommandText = statement
                .Replace("{{name}}", $"cb-{lease.Id}_Ab3dEf6h", StringComparison.Ordinal)
                .Replace("{{password}}", "never-delivered", StringComparison.Ordinal)
                .Replace("{{expiration}}", "2099-01-01", StringComparison.Ordinal);
            await command.ExecuteNonQueryAsync();
        }

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(lease, default));

        // What the network held back arrives after all.
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transaction.CommitAsync());
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task A_mint_that_fails_after_its_user_is_committed_is_unknown_and_its_user_is_removed()
    {
        var statements = PostgresStatements.Creation(Environment.Database.Setup!.Grants);
        statements[^1] = "DO $$ BEGIN RAISE EXCEPTION 'out of shared memory' USING ERRCODE = 'out_of_memory'; END $$;";
        await Environment.Bao.SendAsync(
            HttpMethod.Post,
            "database/roles/cb-test-billing-readonly",
            new JsonObject { ["creation_statements"] = new JsonArray([.. statements.Select(one => (JsonNode)one)]) }
        );
        var plan = Plan(Environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;

        var outcome = await Issuer.MintAsync(plan, child, default);

        Assert.True(outcome is MintOutcome.Unknown, outcome.ToString());
        Assert.Single(await Postgres.IssuedUsersAsync());
        var lease = Lease(plan, child);
        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.RevokeAsync(lease, default));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.ReapAsync(lease, default));
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task With_the_database_down_nothing_is_proven()
    {
        var lease = await PreparedAsync();
        await Postgres.StopAsync();

        Assert.IsType<RevokeOutcome.Failed>(await Issuer.ReapAsync(lease, default));
    }

    [Fact]
    public async Task A_lease_that_Vault_was_made_to_forget_is_revoked_at_the_database()
    {
        var plan = Plan(Environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
        var minted = Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(plan, child, default));
        var secret = (IssuedSecret.Database)minted.Secret;
        await Postgres.StopAsync();
        await Environment.Bao.SendAsync(HttpMethod.Post, "sys/leases/revoke-force/database/creds", new JsonObject());
        await Postgres.StartAgainAsync();
        Assert.IsType<LeaseLookup.Gone>(await Issuer.LookUpLeaseAsync(minted.Handles.VaultLeaseId!, default));
        Assert.True(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));

        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Theory]
    [InlineData("database/roles/cb-test-billing-readonly-reap")]
    [InlineData("auth/token/roles/cb-test-billing-readonly-reap")]
    [InlineData("sys/policies/acl/cb-test-billing-readonly-reap")]
    public async Task Without_its_reaper_a_lease_that_Vault_was_made_to_forget_is_not_confirmed(string removed)
    {
        var plan = Plan(Environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
        var minted = Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(plan, child, default));
        await Postgres.StopAsync();
        await Environment.Bao.SendAsync(HttpMethod.Post, "sys/leases/revoke-force/database/creds", new JsonObject());
        await Postgres.StartAgainAsync();
        await Environment.Bao.SendAsync(HttpMethod.Delete, removed);
        var lease = Lease(plan, child, minted);

        var failed = Assert.IsType<RevokeOutcome.Failed>(await Issuer.RevokeAsync(lease, default));

        Assert.Contains("run `credbroker vault setup --apply`", failed.Error, StringComparison.Ordinal);
        Assert.NotEmpty(await Postgres.IssuedUsersAsync());
        await Environment.SetUpAsync([Environment.Database]);
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task A_reaper_whose_connection_names_its_users_otherwise_proves_nothing()
    {
        const string Connection = "database/config/cb-test-billing";
        var lease = await PreparedAsync();
        await Environment.Bao.SendAsync(
            HttpMethod.Post,
            Connection,
            new JsonObject
            {
                ["username_template"] = "{{ printf \"v_%s\" (random 8) }}",
                ["password"] = "cb_admin-password",
            }
        );
        try
        {
            var failed = Assert.IsType<RevokeOutcome.Failed>(await Issuer.ReapAsync(lease, default));

            Assert.Contains("username_template", failed.Error, StringComparison.Ordinal);
        }
        finally
        {
            await Environment.Bao.SendAsync(
                HttpMethod.Post,
                Connection,
                new JsonObject
                {
                    ["username_template"] =
                        "{{ printf \"%s_%s\" (.DisplayName | replace \"token-\" \"\") (random 8) }}",
                    ["password"] = "cb_admin-password",
                }
            );
        }
    }

    [Fact]
    public async Task The_check_has_each_reaper_try_and_leaves_nothing_behind()
    {
        using var check = new VaultCheck(
            Environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );

        var findings = await check.RunAsync([Environment.Database], default);

        Assert.True(
            Assert
                .Single(findings, finding => finding.What.Contains("what Vault has lost", StringComparison.Ordinal))
                .Passed
        );
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task The_check_says_when_a_role_was_made_by_another_version_and_setup_renews_it()
    {
        const string Role = "database/roles/cb-test-billing-readonly";
        await Environment.Bao.SendAsync(
            HttpMethod.Post,
            Role,
            new JsonObject { ["revocation_statements"] = new JsonArray("DROP ROLE \"{{name}}\"") }
        );
        var stale = Assert.Single(await RoleFindingsAsync(), finding => !finding.Passed);
        Assert.StartsWith(Role + " is", stale.What, StringComparison.Ordinal);
        Assert.Contains("revocation_statements are not what setup makes", stale.Detail, StringComparison.Ordinal);
        Assert.Contains("`credbroker vault setup --apply`", stale.Detail, StringComparison.Ordinal);

        var renewed = await Environment.SetUpAsync([Environment.Database]);

        Assert.Equal(Role, Assert.Single(renewed.Findings, finding => finding.State == SetupState.Updated).Step.Path);
        Assert.All(await RoleFindingsAsync(), finding => Assert.True(finding.Passed, finding.Detail));

        // The policy of a version that did not let the broker read the roles.
        const string Policy = "sys/policies/acl/cb-test-broker";
        var text = (await Environment.Bao.SendAsync(HttpMethod.Get, Policy))
            .GetProperty("data")
            .GetProperty("policy")
            .GetString()!;
        await Environment.Bao.SendAsync(
            HttpMethod.Post,
            Policy,
            new JsonObject { ["policy"] = text.Replace("database/roles/", "database/none/", StringComparison.Ordinal) }
        );
        try
        {
            Assert.All(
                await RoleFindingsAsync(),
                finding =>
                    Assert.Contains("run `credbroker vault setup --apply`", finding.Detail, StringComparison.Ordinal)
            );
        }
        finally
        {
            await Environment.Bao.SendAsync(HttpMethod.Post, Policy, new JsonObject { ["policy"] = text });
        }
    }

    [Fact]
    public async Task A_policy_that_wants_a_wrapped_answer_has_its_own_code_and_the_check_names_it()
    {
        const string Policy = "sys/policies/acl/cb-test-billing-readonly";
        var text = (await Environment.Bao.SendAsync(HttpMethod.Get, Policy))
            .GetProperty("data")
            .GetProperty("policy")
            .GetString()!;
        await Environment.Bao.SendAsync(
            HttpMethod.Post,
            Policy,
            new JsonObject
            {
                ["policy"] = text.Replace(
                    "capabilities = [\"read\"]",
                    "capabilities = [\"read\"]\n  min_wrapping_ttl = \"1m\"",
                    StringComparison.Ordinal
                ),
            }
        );
        try
        {
            var plan = Plan(Environment.Database);
            var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
            var refused = Assert.IsType<MintOutcome.Refused>(await Issuer.MintAsync(plan, child, default));

            Assert.Equal(RefusalCode.VaultWantsWrapping, refused.Refusal.Code);
            Assert.Empty(await Postgres.IssuedUsersAsync());
            using var check = new VaultCheck(
                Environment.Options,
                TimeProvider.System,
                NullLogger<VaultSecretIssuer>.Instance
            );
            var named = Assert.Single(
                await check.RunAsync([Environment.Database], default),
                finding => !finding.Passed
            );
            Assert.StartsWith(Policy, named.What, StringComparison.Ordinal);
            Assert.Contains("min_wrapping_ttl", named.Detail, StringComparison.Ordinal);
        }
        finally
        {
            await Environment.Bao.SendAsync(HttpMethod.Post, Policy, new JsonObject { ["policy"] = text });
        }
    }

    [Fact]
    public async Task What_the_holder_of_a_token_made_with_it_goes_with_it_tokens_at_once_and_users_when_Vault_gets_there()
    {
        var entry = Catalogue.Entry("maker", new VaultBinding.Token("cb-test-maker-token")) with
        {
            MayMakeMore = true,
            Setup = new()
            {
                Policy = """
                    path "auth/token/create" { capabilities = ["update"] }
                    path "database/creds/cb-test-billing-readonly" { capabilities = ["read"] }
                    """,
            },
        };
        Assert.True((await Environment.SetUpAsync([Environment.Database, entry])).IsComplete);
        var plan = Plan(entry);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
        var minted = Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(plan, child, default));
        var token = ((IssuedSecret.Token)minted.Secret).Value.Reveal();
        var grandchild = (
            await Environment.Bao.SendAsync(
                HttpMethod.Post,
                "auth/token/create",
                new JsonObject { ["display_name"] = $"cb-{plan.LeaseId}" },
                token
            )
        ).GetProperty("auth");
        await Environment.Bao.SendAsync(
            HttpMethod.Get,
            "database/creds/cb-test-billing-readonly",
            token: grandchild.GetProperty("client_token").GetString()
        );
        Assert.Single(await Postgres.IssuedUsersAsync());
        await Postgres.StopAsync();
        var lease = Lease(plan, child, minted);

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));

        using var looked = await Environment.Bao.CallAsync(
            HttpMethod.Post,
            "auth/token/lookup-accessor",
            new JsonObject { ["accessor"] = grandchild.GetProperty("accessor").GetString() }
        );
        Assert.False(looked.IsSuccessStatusCode);
        await Postgres.StartAgainAsync();
        Assert.Single(await Postgres.IssuedUsersAsync());
        var still = StillValid.Of(lease with { State = LeaseState.Revoked, ActivatedAt = lease.OpenedAt });
        Assert.Contains("nobody has confirmed it", still?.What, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<CheckFinding>> RoleFindingsAsync()
    {
        using var check = new VaultCheck(
            Environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
        CheckFinding[] findings =
        [
            .. (await check.RunAsync([Environment.Database], default)).Where(finding =>
                finding.What.StartsWith("database/roles/", StringComparison.Ordinal)
            ),
        ];
        Assert.Equal(2, findings.Length);
        return findings;
    }

    /// <summary>The lease of an issuance whose child token is made and whose mint was never answered.</summary>
    private async Task<Lease> PreparedAsync()
    {
        var plan = Plan(Environment.Database);
        return Lease(plan, Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child);
    }

    /// <summary>What a mint leaves whose caller went away after PostgreSQL had committed.</summary>
    private Task LeaveBehindAsync(string user) =>
        Postgres.ExecuteAsync(
            $"""
            SET ROLE cb_admin;
            CREATE ROLE "{user}" WITH LOGIN PASSWORD 'left-behind' VALID UNTIL '2099-01-01' CONNECTION LIMIT 20;
            GRANT SELECT ON billing.invoices TO "{user}";
            """
        );
}
