using System.Data;
using System.Text.Json.Nodes;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using CredBroker.Vault.Setup;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using static CredBroker.IntegrationTests.Vault.Issuance;

namespace CredBroker.IntegrationTests.Vault;

/// <summary>
/// Users of a real PostgreSQL, made and removed by a real OpenBao that <c>vault setup</c> has prepared.
/// </summary>
public sealed class DatabaseTests(PreparedDatabase database) : IClassFixture<PreparedDatabase>, IAsyncLifetime
{
    private BaoEnvironment? _environment;
    private VaultSecretIssuer? _issuer;

    private BaoEnvironment Environment => _environment!;

    private TestBao Bao => Environment.Bao;

    private TestPostgres Postgres => Environment.Postgres!;

    private VaultSecretIssuer Issuer => _issuer!;

    public async ValueTask InitializeAsync()
    {
        _environment = await database.GetAsync();
        _issuer = new VaultSecretIssuer(
            Environment.Options,
            TimeProvider.System,
            NullLogger<VaultSecretIssuer>.Instance
        );
    }

    public ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_user_carries_the_lease_id_reads_what_was_granted_and_nothing_else()
    {
        var (plan, _, minted) = await IssueAsync();
        var secret = Assert.IsType<IssuedSecret.Database>(minted.Secret);

        await using var session = await Postgres.ConnectAsync(secret.Username, secret.Password.Reveal());

        Assert.StartsWith($"cb-{plan.LeaseId}_", secret.Username);
        Assert.Equal(secret.Username, minted.Handles.PublicName);
        Assert.Equal(2L, await ScalarAsync(session, "SELECT count(*) FROM billing.invoices"));
        await Assert.ThrowsAsync<PostgresException>(() =>
            ScalarAsync(session, "DELETE FROM billing.invoices RETURNING id")
        );
        await Assert.ThrowsAsync<PostgresException>(() =>
            Postgres.ConnectAsync(secret.Username, secret.Password.Reveal(), database: "postgres")
        );
        Assert.DoesNotContain(secret.Password.Reveal(), await File.ReadAllTextAsync(Postgres.LogPath));
    }

    [Fact]
    public async Task The_end_is_the_roles_and_so_is_the_stated_grace()
    {
        var before = TimeProvider.System.GetUtcNow();

        var (_, child, minted) = await IssueAsync(TimeSpan.FromMinutes(2));
        var after = TimeProvider.System.GetUtcNow();

        // The child token would end it after two and a half minutes; with Vault away the database accepts the user for
        // the role's ten.
        Assert.InRange(child!.EndsAt, before + TimeSpan.FromSeconds(149), after + TimeSpan.FromSeconds(152));
        Assert.InRange(
            minted.GraceUntil!.Value,
            before + Environment.Database.MaxTtl - TimeSpan.FromSeconds(1),
            after + Environment.Database.MaxTtl + TimeSpan.FromSeconds(10)
        );
        Assert.True(minted.EndsAt <= minted.GraceUntil);
    }

    [Fact]
    public async Task A_revoked_user_is_gone_and_its_open_session_is_cut()
    {
        var (plan, child, minted) = await IssueAsync();
        var secret = (IssuedSecret.Database)minted.Secret;
        await using var session = await Postgres.ConnectAsync(secret.Username, secret.Password.Reveal());

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));

        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ScalarAsync(session, "SELECT 1"));
        Assert.Empty(await Postgres.IssuedUsersAsync());
        Assert.Empty(await ListAsync());
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
    }

    [Fact]
    public async Task A_user_that_an_administrator_has_dropped_by_hand_is_confirmed_all_the_same()
    {
        var (plan, child, minted) = await IssueAsync();
        await using var admin = await Postgres.ConnectAsync("cb_admin", "cb_admin-password");
        var user = minted.Handles.PublicName;
        await ScalarAsync(admin, $"GRANT \"{user}\" TO CURRENT_USER; DROP OWNED BY \"{user}\"; DROP ROLE \"{user}\"");

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
    }

    [Fact]
    public async Task With_the_database_down_a_revocation_fails_in_its_words_and_is_confirmed_once_it_is_back()
    {
        var (plan, child, minted) = await IssueAsync();
        var secret = (IssuedSecret.Database)minted.Secret;
        await Postgres.StopAsync();

        var failed = Assert.IsType<RevokeOutcome.Failed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
        Assert.Contains("connect", failed.Error);
        Assert.DoesNotContain("password", failed.Error, StringComparison.OrdinalIgnoreCase);

        await Postgres.StartAgainAsync();
        Assert.Single(await Postgres.IssuedUsersAsync());
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
        Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
    }

    [Fact]
    public async Task An_accessor_alone_proves_nothing_Vault_says_done_while_the_user_lives()
    {
        var (plan, child, minted) = await IssueAsync();
        await Postgres.StopAsync();

        // The trap: 204, and the user is still there.
        await Bao.SendAsync(
            HttpMethod.Post,
            "auth/token/revoke-accessor",
            new JsonObject { ["accessor"] = child!.Accessor }
        );
        await Postgres.StartAgainAsync();

        Assert.Single(await Postgres.IssuedUsersAsync());
        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.RevokeAsync(Lease(plan, child), default));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(Lease(plan, child, minted), default));
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task A_mint_under_way_outlives_its_accessor_and_a_later_list_finds_it()
    {
        // New users are made while nobody holds this lock.
        await using var holder = await Postgres.ConnectAsync();
        await ScalarAsync(holder, "SELECT pg_advisory_lock(1)");
        var role = await Bao.SendAsync(HttpMethod.Get, "database/roles/cb-test-billing-readonly");
        var usual = JsonNode.Parse(role.GetProperty("data").GetRawText())!.AsObject();
        var slow = usual.DeepClone().AsObject();
        slow["creation_statements"]!.AsArray().Insert(0, "SELECT pg_advisory_xact_lock(1)");
        await Bao.SendAsync(HttpMethod.Post, "database/roles/cb-test-billing-readonly", slow);
        var plan = Plan(Environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child!;
        var mint = Issuer.MintAsync(plan, child, default).AsTask();
        await UntilAsync(async () =>
            await CountAsync(
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_advisory_xact_lock(1)' AND state = 'active'"
            ) == 1
        );

        Assert.IsType<RevokeOutcome.Unproven>(await Issuer.RevokeAsync(Lease(plan, child), default));
        Assert.Empty(await ListAsync());
        await ScalarAsync(holder, "SELECT pg_advisory_unlock(1)");
        await mint;
        await Bao.SendAsync(HttpMethod.Post, "database/roles/cb-test-billing-readonly", usual);

        var stray = Assert.Single(await ListAsync());
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeStrayAsync(stray, default));
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Fact]
    public async Task With_the_database_down_it_is_not_known_whether_a_user_was_made()
    {
        var plan = Plan(Environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child!;
        await Postgres.StopAsync();

        var unknown = Assert.IsType<MintOutcome.Unknown>(await Issuer.MintAsync(plan, child, default));

        Assert.Equal(RefusalCode.MintOutcomeUnknown, unknown.Refusal.Code);
        Assert.NotNull(unknown.Refusal.RetryAfter);
    }

    [Fact]
    public async Task A_mint_that_the_caller_gives_up_on_is_unknown()
    {
        var plan = Plan(Environment.Database);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child!;
        await using var blocker = await Postgres.ConnectAsync();
        await using var transaction = await blocker.BeginTransactionAsync();
        await ScalarAsync(blocker, "LOCK TABLE pg_authid IN ACCESS EXCLUSIVE MODE");
        using var caller = new CancellationTokenSource();
        var mint = Issuer.MintAsync(plan, child, caller.Token).AsTask();
        await UntilAsync(async () =>
            (long)(await ScalarAsync(blocker, "SELECT count(*) FROM pg_locks WHERE NOT granted"))! > 0
        );
        await caller.CancelAsync();

        Assert.IsType<MintOutcome.Unknown>(await mint);
    }

    [Fact]
    public async Task A_renewal_ends_where_the_user_ends()
    {
        var before = TimeProvider.System.GetUtcNow();
        var (plan, child, minted) = await IssueAsync(TimeSpan.FromMinutes(1));

        var renewed = Assert.IsType<RenewOutcome.Renewed>(
            await Issuer.RenewAsync(Lease(plan, child, minted), TimeSpan.FromMinutes(5), default)
        );
        var capped = Assert.IsType<RenewOutcome.Renewed>(
            await Issuer.RenewAsync(Lease(plan, child, minted), TimeSpan.FromHours(1), default)
        );

        var after = TimeProvider.System.GetUtcNow();
        Assert.InRange(renewed.EndsAt, before + TimeSpan.FromMinutes(4.9), after + TimeSpan.FromMinutes(5.1));
        Assert.True(capped.EndsAt <= minted.GraceUntil);
        Assert.InRange(
            capped.EndsAt,
            before + TimeSpan.FromMinutes(9.5),
            after + Environment.Database.MaxTtl + TimeSpan.FromSeconds(2)
        );
    }

    [Fact]
    public async Task A_path_called_KV_that_answers_with_a_lease_is_not_delivered_and_is_revoked()
    {
        // A database engine whose path reads like a KV value's: fake/data/creds/reader.
        await Bao.SendAsync(HttpMethod.Post, "sys/mounts/fake/data", JsonNode.Parse("""{"type":"database"}"""));
        var connection = JsonNode.Parse(
            $$$"""
            {"plugin_name":"postgresql-database-plugin","allowed_roles":["*"],
             "username":"cb_admin","password":"cb_admin-password",
             "connection_url":"postgresql://{{username}}:{{password}}@127.0.0.1:{{{Postgres.Port}}}/billing?sslmode=disable"}
            """
        );
        await Bao.SendAsync(HttpMethod.Post, "fake/data/config/billing", connection);
        await Bao.SendAsync(
            HttpMethod.Post,
            "fake/data/roles/reader",
            JsonNode.Parse(
                """
                {"db_name":"billing","creation_statements":["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'"]}
                """
            )
        );
        var entry = Catalogue.Entry("not-kv", new VaultBinding.KeyValue("fake", "creds/reader"));
        var policy = SetupPlan
            .For("test", [Environment.Database, entry])
            .Steps.Single(step => step.Path == "sys/policies/acl/cb-test-broker");
        await Bao.SendAsync(HttpMethod.Post, policy.Path, policy.Body.DeepClone());
        var plan = Plan(entry);

        var wrong = Assert.IsType<MintOutcome.Wrong>(await Issuer.MintAsync(plan, null, default));

        Assert.Equal(RefusalCode.SecretNotAsAsked, wrong.Refusal.Code);
        Assert.Single(await Postgres.IssuedUsersAsync());
        Assert.IsType<RevokeOutcome.Confirmed>(
            await Issuer.RevokeAsync(Lease(plan, null) with { VaultLeaseId = wrong.Handles.VaultLeaseId }, default)
        );
        Assert.Empty(await Postgres.IssuedUsersAsync());
    }

    [Theory]
    // Owning something that nobody granted makes a plain DROP ROLE fail.
    [InlineData("owns a large object", "SELECT lo_create(0)", 1)]
    // A session that comes back at once survives a terminate-then-drop.
    [InlineData("reconnects", "SELECT 1", 8)]
    // A lock on its own row makes a plain ALTER ROLE … NOLOGIN wait for ever.
    [InlineData(
        "holds its own row",
        "BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'mine'; SELECT lo_create(0); SELECT pg_sleep(600)",
        8
    )]
    // A row that keeps changing makes it fail: tuple concurrently updated.
    [InlineData("keeps changing its own row", "ALTER ROLE CURRENT_USER PASSWORD 'mine'", 8)]
    // What is left of a session for a moment blocks DROP ROLE too, and no other role may take it over.
    [InlineData(
        "has temporary functions",
        "CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        8
    )]
    // As many connections as it can get.
    [InlineData("takes every connection", "SELECT pg_sleep(600)", 30)]
    // The administrator must not run what an agent has left in a schema on its search path.
    [InlineData(
        "shadows functions",
        "CREATE OR REPLACE FUNCTION public.pg_sleep(numeric) "
            + "RETURNS void LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING MESSAGE = ''hijacked''; END'",
        8
    )]
    public async Task An_agent_that_defends_its_user_loses_its_access_all_the_same(
        string defence,
        string sql,
        int sessions
    )
    {
        await Postgres.ExecuteAsync("GRANT CREATE ON SCHEMA public TO PUBLIC");
        for (var trial = 0; trial < 2; trial++)
        {
            // What the last trial's agent left behind is not this one's to replace.
            await Postgres.ExecuteAsync("DROP FUNCTION IF EXISTS public.pg_sleep(numeric)");
            var (plan, child, minted) = await IssueAsync();
            var secret = (IssuedSecret.Database)minted.Secret;
            using var over = new CancellationTokenSource();
            var began = new TaskCompletionSource();
            var defenders = Enumerable
                .Range(0, sessions)
                .Select(_ => DefendAsync(secret, sql, began, over.Token))
                .ToList();
            try
            {
                // The defence has taken hold: its statement has run, or lasts.
                await UntilAsync(async () =>
                    await Postgres.SessionsAsync(secret.Username) >= Math.Min(sessions, 4)
                    && (began.Task.IsCompleted || await SleepersAsync(secret.Username) > 0)
                );

                var outcome = await Issuer.RevokeAsync(Lease(plan, child, minted), default);

                Assert.True(outcome is RevokeOutcome.Confirmed, $"{defence}: {outcome}");
                Assert.DoesNotContain(secret.Username, await Postgres.IssuedUsersAsync());
                Assert.False(await Postgres.CanLogInAsync(secret.Username, secret.Password.Reveal()));
            }
            finally
            {
                await over.CancelAsync();
                await Task.WhenAll(defenders);
            }

            Assert.Equal(
                0,
                await CountAsync(
                    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename IS NULL"
                )
            );
        }
    }

    private async Task DefendAsync(
        IssuedSecret.Database secret,
        string sql,
        TaskCompletionSource began,
        CancellationToken cancellationToken
    )
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                // The password is its own to change, and it does.
                await using var session =
                    await TryAsync(secret.Password.Reveal()) ?? await Postgres.ConnectAsync(secret.Username, "mine");
                while (!cancellationToken.IsCancellationRequested)
                {
                    try
                    {
                        await ExecuteAsync(session, sql);
                        began.TrySetResult();
                    }
                    catch (PostgresException) when (session.State == ConnectionState.Open)
                    {
                        // Its sessions are in each other's way; none gives up for that. What Npgsql takes for a broken
                        // server (tuple concurrently updated is an internal error) closes the session: again.
                        await ExecuteAsync(session, "ROLLBACK");
                    }
                }
            }
            catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
            {
                // Cut, or refused: again.
            }
        }

        async Task ExecuteAsync(NpgsqlConnection session, string statements)
        {
            await using var command = new NpgsqlCommand(statements, session) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        async Task<NpgsqlConnection?> TryAsync(string password)
        {
            try
            {
                return await Postgres.ConnectAsync(secret.Username, password);
            }
            catch (PostgresException)
            {
                return null;
            }
        }
    }

    private async Task<(IssuancePlan Plan, ChildToken? Child, MintOutcome.Minted Minted)> IssueAsync(
        TimeSpan? ttl = null
    )
    {
        var plan = Plan(Environment.Database, ttl);
        var child = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default)).Child;
        return (plan, child, Assert.IsType<MintOutcome.Minted>(await Issuer.MintAsync(plan, child, default)));
    }

    private async Task<IReadOnlyList<string>> ListAsync() =>
        Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Environment.Database, default)).VaultLeaseIds;

    private Task<long> SleepersAsync(string user) =>
        CountAsync($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}' AND wait_event = 'PgSleep'");

    private async Task<long> CountAsync(string sql)
    {
        await using var connection = await Postgres.ConnectAsync();
        return (long)(await ScalarAsync(connection, sql))!;
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static Task UntilAsync(Func<Task<bool>> holds) => Eventually.BecomesTrueAsync(holds);
}
