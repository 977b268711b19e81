using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Processes;
using CredBroker.Vault;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.UnitTests.Vault;

/// <summary>
/// The issuer against a Vault that misbehaves on purpose; what a real one does is tested on a real one.
/// </summary>
public sealed partial class VaultSecretIssuerTests : IAsyncLifetime
{
    private const string OwnToken = "own-token-of-the-broker";
    private const string ChildValue = "child-token-of-the-test";
    private readonly FakeTimeProvider _time = new();
    private readonly string _tokenFile = Path.GetTempFileName();
    private readonly LogLines _log = new();
    private readonly Dictionary<string, Func<HttpContext, Task>> _answers = [];
    private string _reaping = "";
    private ScriptedVault? _vault;
    private VaultSecretIssuer? _issuer;

    private VaultSecretIssuer Issuer => _issuer!;

    private ScriptedVault Vault => _vault!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_tokenFile, OwnToken);
        _vault = await ScriptedVault.StartAsync(context =>
            _answers.TryGetValue(context.Request.Path.Value![4..], out var answer)
                ? answer(context)
                : ScriptedVault.NoContentAsync(context)
        );
        _issuer = new(
            _vault.Options(_tokenFile) with
            {
                CallTimeout = TimeSpan.FromSeconds(5),
                MintTimeout = TimeSpan.FromSeconds(5),
            },
            _time,
            new Logger<VaultSecretIssuer>(_log)
        );
        _answers["sys/health"] = ScriptedVault.Raw("""{"initialized":true,"sealed":false,"standby":false}""");
        _answers["auth/token/lookup-self"] = Json("""{"data":{"ttl":7200,"creation_ttl":7200,"renewable":true}}""");
        _answers["auth/token/lookup-accessor"] = Refusal(400, "invalid accessor");
        _answers["sys/leases/lookup"] = Json("""{"data":{"issue_time":"2026-01-01T00:00:00Z","ttl":60}}""");
        _answers["auth/token/create/cb-test-probe"] =
            _answers["auth/token/create/cb-test-db"] =
            _answers["auth/token/create/cb-test-tok"] =
            _answers["auth/token/create/cb-test-pki"] =
                Json(
                    $$$"""
                    {"auth":{"client_token":"{{{ChildValue}}}",
                     "accessor":"acc","lease_duration":90,"renewable":true,"orphan":true,"token_policies":["p"]}}
                    """
                );
    }

    public async ValueTask DisposeAsync()
    {
        _issuer?.Dispose();
        await Vault.DisposeAsync();
        File.Delete(_tokenFile);
        _log.Dispose();
    }

    [Fact]
    public async Task A_proof_grows_stale()
    {
        Assert.True((await Issuer.ProbeAsync(default)).CanIssue);
        _time.Advance(TimeSpan.FromSeconds(179));
        Assert.True(Issuer.Status.CanIssue);

        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(RefusalCode.IssuingPaused, Issuer.Status.Refusal?.Code);
    }

    [Theory]
    [InlineData("auth/token/create/cb-test-probe", 403)]
    [InlineData("auth/token/revoke-accessor", 403)]
    [InlineData("auth/token/lookup-accessor", 403)]
    [InlineData("sys/leases/revoke", 403)]
    [InlineData("auth/token/lookup-self", 503)]
    public async Task Without_any_one_part_of_the_proof_nothing_is_issued(string path, int status)
    {
        _answers[path] = Refusal(status, "no");

        Assert.False((await Issuer.ProbeAsync(default)).CanIssue);
        Assert.False(Issuer.Status.CanIssue);
    }

    [Fact]
    public async Task A_probe_token_that_is_still_there_after_its_revocation_proves_nothing()
    {
        _answers["auth/token/lookup-accessor"] = Json("""{"data":{"ttl":60}}""");

        Assert.False((await Issuer.ProbeAsync(default)).CanIssue);
    }

    public static TheoryData<string, int, string> Mints =>
        new()
        {
            { "MintFailed", 400, "no such privilege" },
            { "VaultMissing", 400, "unknown role: cb-test-db" },
            { "VaultForbids", 403, "permission denied" },
            { "VaultMissing", 404, "" },
            { "unknown", 408, "" },
            { "unknown", 500, "context deadline exceeded" },
            // PostgreSQL refused a statement and rolled back; or nobody knows whether it committed.
            { "MintFailed", 500, "failed to execute query: ERROR: permission denied for table x (SQLSTATE 42501)" },
            { "MintFailed", 500, "failed to execute query: ERROR: too many connections (SQLSTATE 53300)" },
            { "MintFailed", 500, "failed to execute query: ERROR: schema x does not exist (SQLSTATE 3F000)" },
            { "unknown", 500, "failed to execute query: ERROR: out of shared memory (SQLSTATE 53200)" },
            { "unknown", 500, "failed to execute query: FATAL: terminating connection (SQLSTATE 57P01)" },
            { "unknown", 500, "failed to execute query: connection lost (SQLSTATE 08006)" },
            { "unknown", 500, "ERROR: could not serialize (SQLSTATE 40001)" },
            {
                "unknown",
                500,
                "failed to register lease; an error was encountered revoking the newly-generated secret: "
                    + "failed to execute query: ERROR: permission denied (SQLSTATE 42501)"
            },
            { "unknown", 502, "" },
            { "unknown", 503, "Vault is sealed" },
            { "unknown", 504, "" },
        };

    [Theory]
    [MemberData(nameof(Mints))]
    public async Task Only_a_plain_no_says_that_nothing_was_made(string expected, int status, string words)
    {
        _answers["database/creds/cb-test-db"] = Refusal(status, words);

        var outcome = await MintAsync(Database);

        if (expected == "unknown")
        {
            Assert.Equal(RefusalCode.MintOutcomeUnknown, Assert.IsType<MintOutcome.Unknown>(outcome).Refusal.Code);
        }
        else
        {
            Assert.Equal(Enum.Parse<RefusalCode>(expected), Assert.IsType<MintOutcome.Refused>(outcome).Refusal.Code);
        }

        Assert.Single(Vault.Requests, "GET database/creds/cb-test-db");
    }

    [Fact]
    public async Task A_mint_without_an_answer_is_unknown_and_was_sent_once()
    {
        _answers["database/creds/cb-test-db"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

        Assert.IsType<MintOutcome.Unknown>(await MintAsync(Database));

        Assert.Single(Vault.Requests, "GET database/creds/cb-test-db");
    }

    [Theory]
    // No lease, a lease of another path, no user, no password, no life: made, and not to be delivered.
    [InlineData("""{"lease_duration":60,"data":{"username":"u","password":"pw-of-the-test"}}""", null)]
    [InlineData("""{"lease_id":"","lease_duration":60,"data":{"username":"u","password":"pw-of-the-test"}}""", null)]
    [InlineData(
        """{"lease_id":"database/creds/other/1","lease_duration":60"""
            + ""","data":{"username":"u","password":"pw-of-the-test"}}""",
        "database/creds/other/1"
    )]
    [InlineData(
        """{"lease_id":"database/creds/cb-test-db/1","lease_duration":60,"data":{"password":"pw-of-the-test"}}""",
        "database/creds/cb-test-db/1"
    )]
    [InlineData(
        """{"lease_id":"database/creds/cb-test-db/1","lease_duration":60,"data":{"username":"u","password":""}}""",
        "database/creds/cb-test-db/1"
    )]
    [InlineData(
        """{"lease_id":"database/creds/cb-test-db/1","lease_duration":0"""
            + ""","data":{"username":"u","password":"pw-of-the-test"}}""",
        "database/creds/cb-test-db/1"
    )]
    [InlineData(
        """{"lease_id":"database/creds/cb-test-db/1","lease_duration":60,"data":null}""",
        "database/creds/cb-test-db/1"
    )]
    [InlineData("""{"wrap_info":{"token":"w"}}""", null)]
    public async Task A_user_that_is_not_as_asked_is_wrong_and_keeps_its_handle(string answer, string? leaseId)
    {
        _answers["database/creds/cb-test-db"] = Json(answer);

        var wrong = Assert.IsType<MintOutcome.Wrong>(await MintAsync(Database));

        Assert.Equal(leaseId, wrong.Handles.VaultLeaseId);
        Assert.DoesNotContain(_log.Lines, line => line.Contains("pw-of-the-test", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"auth":{"client_token":"t","accessor":"","lease_duration":60,"orphan":false}}""", null)]
    [InlineData("""{"auth":{"client_token":"t","accessor":"a","lease_duration":60,"orphan":true}}""", "a")]
    [InlineData("""{"auth":{"client_token":"t","accessor":"a","lease_duration":0,"orphan":false}}""", "a")]
    [InlineData("""{"auth":{"client_token":"t","accessor":"a","lease_duration":99999,"orphan":false}}""", "a")]
    [InlineData(
        """{"auth":{"client_token":"t","accessor":"a","lease_duration":60,"orphan":false,"token_policies":["root"]}}""",
        "a"
    )]
    [InlineData("{}", null)]
    public async Task A_token_that_is_not_as_asked_is_wrong_and_keeps_its_handle(string answer, string? accessor)
    {
        _answers["auth/token/create/cb-test-tok-token"] = Json(answer);

        var wrong = Assert.IsType<MintOutcome.Wrong>(await MintAsync(Token));

        Assert.Equal(accessor, wrong.Handles.CredentialAccessor);
    }

    [Theory]
    [InlineData("""{"auth":{"client_token":"t","accessor":"acc","lease_duration":0,"orphan":true}}""")]
    [InlineData("""{"auth":{"client_token":"t","accessor":"acc","lease_duration":90,"orphan":false}}""")]
    [InlineData(
        """{"auth":{"client_token":"t","accessor":"acc","lease_duration":90,"orphan":true,"token_policies":["root"]}}"""
    )]
    public async Task A_child_token_that_no_secret_may_hang_on_is_revoked_at_once(string answer)
    {
        _answers["auth/token/create/cb-test-db"] = Json(answer);

        Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(Database), default));

        Assert.Contains("POST auth/token/revoke-accessor", Vault.Requests);
    }

    [Fact]
    public async Task A_child_token_is_asked_for_once_even_when_the_answer_is_lost()
    {
        _answers["auth/token/create/cb-test-db"] = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

        var refused = Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(Database), default));

        Assert.Equal(RefusalCode.VaultUnreachable, refused.Refusal.Code);
        Assert.Single(Vault.Requests, "POST auth/token/create/cb-test-db");
    }

    [Fact]
    public async Task The_fewest_calls_that_an_engine_allows()
    {
        _answers["database/creds/cb-test-db"] = Json(
            """{"lease_id":"database/creds/cb-test-db/1","lease_duration":60,"data":{"username":"u","password":"p"}}"""
        );
        _answers["secret/data/k"] = Json("""{"data":{"data":{"a":1},"metadata":{"version":3}}}""");
        await Issuer.ProbeAsync(default);
        Vault.Requests.Clear();

        Assert.IsType<MintOutcome.Minted>(await MintAsync(Database));
        Assert.Equal(2, Vault.Requests.Count);
        Vault.Requests.Clear();
        Assert.IsType<MintOutcome.Minted>(await MintAsync(Entry("kv", new VaultBinding.KeyValue("secret", "k"))));
        Assert.Single(Vault.Requests);
    }

    [Fact]
    public async Task A_path_that_no_request_has_filled_in_is_never_read()
    {
        await Issuer.ProbeAsync(default);
        Vault.Requests.Clear();
        var template = Entry("kv", new VaultBinding.KeyValue("secret", "tenants/{tenant}/key"));

        foreach (var entry in new[] { template, template with { Params = [new("tenant", "[a-z]+")] } })
        {
            Assert.IsType<PrepareOutcome.Refused>(await Issuer.PrepareAsync(Plan(entry), default));
        }

        Assert.Empty(Vault.Requests);
    }

    /// <summary>What stands in front of Vault, and is not Vault.</summary>
    public static TheoryData<int, string> NotVault =>
        new()
        {
            { 200, "" },
            { 200, "{}" },
            { 200, "null" },
            { 200, """{"status":"ok","data":{"ttl":1}}""" },
            { 200, """{"request_id":""}""" },
            { 200, """{"standby":false}""" },
            { 200, "<html>Welcome</html>" },
            { 201, """{"request_id":"1"}""" },
            // Vault has accepted the revocation, and not carried it out.
            { 202, """{"request_id":"1"}""" },
            { 206, "" },
        };

    [Theory]
    [MemberData(nameof(NotVault))]
    public async Task A_yes_that_is_not_Vaults_confirms_no_revocation(int status, string text)
    {
        Task YesAsync(HttpContext context)
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(text);
        }

        var database = Lease() with { VaultLeaseId = "database/creds/cb-test-db/1", Accessor = "acc" };
        var token = Lease() with { Accessor = "acc", CredentialAccessor = "of-the-credential" };
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(database, default));
        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(token, default));

        _answers["sys/leases/revoke"] = YesAsync;
        Assert.IsType<RevokeOutcome.Failed>(await Issuer.RevokeAsync(database, default));
        Assert.IsType<RevokeOutcome.Failed>(await Issuer.RevokeStrayAsync("database/creds/cb-test-db/1", default));
        _answers.Remove("sys/leases/revoke");
        _answers["auth/token/revoke-accessor"] = YesAsync;
        foreach (
            var revocation in new[]
            {
                Issuer.RevokeAsync(database, default).AsTask(),
                Issuer.RevokeAsync(token, default).AsTask(),
                Issuer.RevokeAccessorAsync("acc", default).AsTask(),
            }
        )
        {
            Assert.IsType<RevokeOutcome.Failed>(await AfterItsRetriesAsync(revocation));
        }

        _answers.Remove("auth/token/revoke-accessor");

        _answers["sys/leases/lookup"] = YesAsync;
        Assert.IsType<LeaseLookup.Failed>(await Issuer.LookUpLeaseAsync("database/creds/cb-test-db/1", default));
        _answers["auth/token/create/cb-test-db-reap"] = _answers["auth/token/create/cb-test-db"];
        _answers["database/creds/cb-test-db-reap"] = YesAsync;
        Assert.IsType<RevokeOutcome.Failed>(await Issuer.ReapAsync(database, default));
    }

    /// <summary>What comes of a call that is sent again after a pause.</summary>
    private async Task<T> AfterItsRetriesAsync<T>(Task<T> call)
    {
        await Eventually.BecomesTrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(call.IsCompleted);
            },
            "it is over, its retries included"
        );
        return await call;
    }

    [Theory]
    [MemberData(nameof(NotVault))]
    [InlineData(204, "")]
    public async Task A_yes_that_is_not_Vaults_leaves_it_unknown_whether_a_secret_was_made(int status, string text)
    {
        _answers["database/creds/cb-test-db"] = _answers["auth/token/create/cb-test-tok-token"] = context =>
        {
            context.Response.StatusCode = status;
            return status == 204 ? Task.CompletedTask : context.Response.WriteAsync(text);
        };

        foreach (var entry in new[] { Database, Token })
        {
            var unknown = Assert.IsType<MintOutcome.Unknown>(await MintAsync(entry));
            Assert.Equal(RefusalCode.MintOutcomeUnknown, unknown.Refusal.Code);
        }
    }

    [Fact]
    public async Task A_revocation_that_Vault_refuses_stops_before_the_accessor_and_says_why()
    {
        _answers["sys/leases/revoke"] = Refusal(400, "failed to revoke entry: connection refused");

        var failed = Assert.IsType<RevokeOutcome.Failed>(
            await Issuer.RevokeAsync(
                Lease() with
                {
                    VaultLeaseId = "database/creds/cb-test-db/1",
                    Accessor = "acc",
                },
                default
            )
        );

        Assert.Contains("connection refused", failed.Error);
        Assert.DoesNotContain("POST auth/token/revoke-accessor", Vault.Requests);
    }

    [Fact]
    public async Task A_standbys_list_proves_nothing()
    {
        const string Path = "sys/leases/lookup/database/creds/cb-test-db/";
        _answers[Path] = Refusal(404, "");
        Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Database, default));

        foreach (var health in new[] { """{"standby":true}""", "{}", "null", "<html/>" })
        {
            _answers["sys/health"] = ScriptedVault.Raw(health);
            Assert.IsType<LeaseListing.Failed>(await Issuer.ListLeasesAsync(Database, default));
        }

        // It becomes a standby while it is asked.
        var asked = 0;
        _answers["sys/health"] = context =>
            ScriptedVault.Raw(asked++ == 0 ? """{"standby":false}""" : """{"standby":true}""")(context);
        Assert.IsType<LeaseListing.Failed>(await Issuer.ListLeasesAsync(Database, default));
    }

    [Fact]
    public async Task A_list_over_another_connection_than_the_nodes_health_proves_nothing()
    {
        _answers["sys/leases/lookup/database/creds/cb-test-db/"] = context =>
        {
            context.Response.Headers.Connection = "close";
            return Refusal(404, "")(context);
        };

        Assert.IsType<LeaseListing.Failed>(await Issuer.ListLeasesAsync(Database, default));
    }

    [Theory]
    [InlineData("database/creds/cb-test-db", "db", """{"token":"s.x","accessor":"a","ttl":3600}""")]
    [InlineData("auth/token/create/cb-test-tok-token", "tok", """{"token":"s.x","accessor":"a","ttl":3600}""")]
    [InlineData("database/creds/cb-test-db", "db", "null")] // as OpenBao says it
    public async Task A_control_group_has_a_code_of_its_own_and_recovery_proves_that_nothing_was_made(
        string path,
        string credential,
        string wrapped
    )
    {
        _answers[path] = Json($$"""{"request_id":"r","lease_id":"","data":null,"auth":null,"wrap_info":{{wrapped}}}""");
        var entry = credential == "db" ? Database : Entry("tok", new VaultBinding.Token("cb-test-tok-token"));

        var refused = Assert.IsType<MintOutcome.Unknown>(await MintAsync(entry));

        Assert.Equal(RefusalCode.VaultWantsApproval, refused.Refusal.Code);
    }

    [Fact]
    public async Task An_accessor_that_has_outlived_its_token_does_not_keep_a_lease_from_being_confirmed()
    {
        _answers["auth/token/revoke-accessor"] = Refusal(400, "token not found");
        _answers["auth/token/lookup-accessor"] = Refusal(403, "permission denied");

        foreach (
            var lease in new[]
            {
                Lease() with
                {
                    VaultLeaseId = "database/creds/cb-test-db/1",
                    Accessor = "acc",
                },
                Lease() with
                {
                    Accessor = "acc",
                    CredentialAccessor = "of-the-credential",
                },
            }
        )
        {
            Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
        }
    }

    [Fact]
    public async Task A_slow_mint_is_answered_as_unknown_and_is_not_cut_off()
    {
        var (reached, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        var cutOff = false;
        _answers["database/creds/cb-test-db"] = async context =>
        {
            reached.SetResult();
            await goOn.Task;
            cutOff = context.RequestAborted.IsCancellationRequested;
            await Json(
                """{"lease_id":"database/creds/cb-test-db/1","lease_duration":60,"data":{"username":"u","password":"p"}}"""
            )(context);
        };
        var mint = MintAsync(Database);
        await reached.Task;
        // Vault may have been reached before the wait for its answer began.
        await Eventually.BecomesTrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(6));
                return Task.FromResult(mint.IsCompleted);
            },
            "the wait for the answer is over"
        );

        var unknown = Assert.IsType<MintOutcome.Unknown>(await mint);
        goOn.SetResult();
        var late = Assert.IsType<MintOutcome.Minted>(await unknown.Late!);

        Assert.False(cutOff);
        Assert.Equal("database/creds/cb-test-db/1", late.Handles.VaultLeaseId);
    }

    [Theory]
    // Vault says "done" of a lease that it was made to forget. The backend itself is asked before it is believed.
    [InlineData("forgotten", 200, "cb-", "Confirmed")]
    [InlineData("forgotten", 500, "connection refused", "Failed")]
    [InlineData("forgotten", 200, "v-token-", "Failed")]
    [InlineData("not looked up", 200, "cb-", "Confirmed")]
    [InlineData("not looked up", 500, "connection refused", "Failed")]
    // The reaper that setup made is not there any more, or never was: Vault's "done" alone is no proof.
    [InlineData("forgotten", 400, "unknown role: cb-test-db-reap", "Failed")]
    [InlineData("forgotten", 403, "permission denied", "Failed")]
    [InlineData("forgotten", 404, "", "Failed")]
    // A standby may not have heard yet that Vault has forgotten it.
    [InlineData("a standby's", 500, "connection refused", "Failed")]
    [InlineData("a standby's", 200, "cb-", "Confirmed")]
    // Vault has given up on it: the reaper removes the user, and Vault's own statements then find nothing to do.
    [InlineData("given up", 200, "cb-", "Confirmed")]
    [InlineData("given up", 500, "connection refused", "Failed")]
    [InlineData("given up", 400, "unknown role: cb-test-db-reap", "Failed")]
    public async Task The_reaper_has_the_last_word(string case_, int status, string words, string expected)
    {
        var lease = Lease() with { VaultLeaseId = "database/creds/cb-test-db/1", Accessor = "acc" };
        _answers["auth/token/create/cb-test-db-reap"] = _answers["auth/token/create/cb-test-db"];
        var reaped = false;
        _answers["database/creds/cb-test-db-reap"] = async context =>
        {
            reaped = status == 200;
            await (
                status == 200
                    ? Json(
                        $$$"""{"lease_id":"x","lease_duration":60,"data":{"username":"{{{words}}}{{{lease.Id}}}_12345678"}}"""
                    )
                    : Refusal(status, words)
            )(context);
        };
        if (case_ == "a standby's")
        {
            _answers["sys/health"] = ScriptedVault.Raw("""{"standby":true}""");
        }

        _answers["sys/leases/lookup"] = case_ switch
        {
            "forgotten" => Refusal(400, "invalid lease"),
            "not looked up" => Refusal(400, "no such path"),
            _ => Json(
                """{"data":{"issue_time":"2026-01-01T00:00:00Z","ttl":0,"revoke_error":"permission denied for schema"}}"""
            ),
        };
        _answers["sys/leases/revoke"] = context =>
            (
                case_ != "given up" || reaped
                    ? ScriptedVault.NoContentAsync
                    : Refusal(400, "permission denied for schema")
            )(context);

        var outcome = await Issuer.RevokeAsync(lease, default);

        Assert.Equal(expected, outcome.GetType().Name);
        switch (case_, status, outcome)
        {
            case ("given up", _, RevokeOutcome.Failed { Error: var error }):
                Assert.Contains("given up (revoke_error): permission denied for schema", error);
                break;
            case ("forgotten", < 500 and not 200, RevokeOutcome.Failed { Error: var error }):
                Assert.Contains("run `credbroker vault setup --apply`", error);
                break;
        }
    }

    [Fact]
    public async Task A_lease_whose_entry_never_had_a_reaper_is_confirmed_by_Vaults_word()
    {
        _answers["sys/leases/lookup"] = Refusal(400, "invalid lease");
        var lease = Lease();
        lease = lease with
        {
            VaultLeaseId = "database/creds/somebody-elses/1",
            Accessor = "acc",
            Decision = lease.Decision with
            {
                Verdict = lease.Decision.Verdict with
                {
                    Grant = lease.Grant with
                    {
                        Entry = Entry("db", new VaultBinding.Database("database", "somebody-elses")),
                    },
                },
            },
        };

        Assert.IsType<RevokeOutcome.Confirmed>(await Issuer.RevokeAsync(lease, default));
    }

    [Fact]
    public async Task A_secret_that_is_gone_while_its_token_is_not_is_tried_again()
    {
        _answers["auth/token/revoke-accessor"] = Refusal(403, "permission denied");

        Assert.IsType<RevokeOutcome.Failed>(
            await Issuer.RevokeAsync(
                Lease() with
                {
                    VaultLeaseId = "database/creds/cb-test-db/1",
                    Accessor = "acc",
                },
                default
            )
        );
    }

    [Fact]
    public async Task A_token_that_Vault_still_knows_is_not_confirmed()
    {
        _answers["auth/token/lookup-accessor"] = Json("""{"data":{"ttl":60}}""");

        Assert.IsType<RevokeOutcome.Failed>(
            await Issuer.RevokeAsync(Lease() with { Accessor = "acc", CredentialAccessor = "cred" }, default)
        );
        Assert.Equal(2, Vault.Requests.Count(request => request == "POST auth/token/revoke-accessor"));
    }

    [Fact]
    public async Task A_permission_denied_is_never_taken_for_a_token_that_is_gone()
    {
        _answers["auth/token/lookup-accessor"] = Refusal(403, "permission denied");

        Assert.IsType<RevokeOutcome.Failed>(
            await Issuer.RevokeAsync(Lease() with { Accessor = "acc", CredentialAccessor = "cred" }, default)
        );
    }

    [Fact]
    public async Task A_list_that_may_be_incomplete_is_none()
    {
        const string Path = "sys/leases/lookup/database/creds/cb-test-db/";
        _answers[Path] = Json("""{"data":{"keys":["one","two"]}}""");
        Assert.Equal(
            ["database/creds/cb-test-db/one", "database/creds/cb-test-db/two"],
            Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Database, default)).VaultLeaseIds
        );
        _answers[Path] = Refusal(404, "");
        Assert.Empty(Assert.IsType<LeaseListing.Listed>(await Issuer.ListLeasesAsync(Database, default)).VaultLeaseIds);

        foreach (
            var answer in new[]
            {
                Json("""{"data":{"keys":["sub/"]}}"""),
                Json("{}"),
                Refusal(403, "permission denied"),
                Refusal(503, "Vault is sealed"),
            }
        )
        {
            _answers[Path] = answer;
            Assert.IsType<LeaseListing.Failed>(await Issuer.ListLeasesAsync(Database, default));
        }
    }

    [Fact]
    public async Task A_lease_is_found_gone_or_not_known_to_be_either()
    {
        _answers["sys/leases/lookup"] = Json("""{"data":{"issue_time":"2026-01-01T00:00:00.123456789Z","ttl":5}}""");
        var found = Assert.IsType<LeaseLookup.Found>(await Issuer.LookUpLeaseAsync("a/b", default)).Lease;
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 0, 123, TimeSpan.Zero).AddTicks(4567), found.IssuedAt);
        Assert.False(found.Revoking);

        _answers["sys/leases/lookup"] = Json("""{"data":{"issue_time":"2026-01-01T00:00:00Z","ttl":0}}""");
        Assert.True(Assert.IsType<LeaseLookup.Found>(await Issuer.LookUpLeaseAsync("a/b", default)).Lease.Revoking);
        _answers["sys/leases/lookup"] = Refusal(400, "invalid lease");
        Assert.IsType<LeaseLookup.Gone>(await Issuer.LookUpLeaseAsync("a/b", default));
        _answers["sys/leases/lookup"] = Refusal(403, "permission denied");
        Assert.IsType<LeaseLookup.Failed>(await Issuer.LookUpLeaseAsync("a/b", default));
    }

    [Fact]
    public async Task No_log_line_at_any_level_holds_a_token_or_an_agents_refusal_Vaults_words()
    {
        _answers["database/creds/cb-test-db"] = Refusal(400, "role \"internal-name\" at 10.1.2.3 refused");
        await Issuer.ProbeAsync(default);

        var refused = Assert.IsType<MintOutcome.Refused>(await MintAsync(Database));

        Assert.DoesNotContain("internal-name", refused.Refusal.Detail);
        Assert.Contains(_log.Lines, line => line.Contains("internal-name", StringComparison.Ordinal));
        Assert.DoesNotContain(
            _log.Lines,
            line =>
                line.Contains(OwnToken, StringComparison.Ordinal) || line.Contains(ChildValue, StringComparison.Ordinal)
        );
    }

    private static CatalogueEntry Database => Entry("db", new VaultBinding.Database("database", "cb-test-db"));

    private static CatalogueEntry Token => Entry("tok", new VaultBinding.Token("cb-test-tok-token"));

    private async Task<MintOutcome> MintAsync(CatalogueEntry entry)
    {
        var (plan, child) = await PrepareAsync(entry);
        return await Issuer.MintAsync(plan, child, default);
    }

    private async Task<(IssuancePlan Plan, ChildToken? Child)> PrepareAsync(CatalogueEntry entry)
    {
        var plan = Plan(entry);
        var prepared = Assert.IsType<PrepareOutcome.Prepared>(await Issuer.PrepareAsync(plan, default));
        return (plan, prepared.Child);
    }

    private IssuancePlan Plan(CatalogueEntry entry) =>
        new()
        {
            LeaseId = Ids.New(_time),
            Identity = new()
            {
                Proof = ProofMethod.JwtSvid,
                Issuer = "https://idp",
                Subject = "s",
                Workload = "w",
                ProofExpiresAt = DateTimeOffset.MaxValue,
                ProofHash = "",
            },
            Agent = "a",
            Task = new("t", "p", ""),
            Grant = new()
            {
                Entry = entry,
                Process = new()
                {
                    Name = "p",
                    ToleratesRuntimeAction = true,
                    Agents = ["a"],
                },
                Ttl = TimeSpan.FromMinutes(1),
                MaxTtl = entry.MaxTtl,
                TtlCut = false,
            },
            Anchor = new("s", 1, "h"),
        };

    private Lease Lease()
    {
        var plan = Plan(Database);
        return new()
        {
            Id = plan.LeaseId,
            State = LeaseState.Revoking,
            Decision = new()
            {
                Id = "d",
                PolicyVersion = 1,
                Identity = plan.Identity,
                Task = plan.Task,
                Request = new() { Credential = "db", Actions = ["read"] },
                Verdict = new()
                {
                    Effect = PolicyEffect.Allow,
                    PolicyHash = "",
                    Grant = plan.Grant,
                },
            },
            OpenedAt = default,
            IssuanceDeadline = default,
        };
    }

    private static CatalogueEntry Entry(string name, VaultBinding vault) =>
        new()
        {
            Name = name,
            Vault = vault,
            Access = AccessKind.Read,
            Impact = ImpactLevel.Low,
            Reversible = true,
            Actions = ["read"],
            MaxTtl = TimeSpan.FromMinutes(10),
        };

    /// <summary>Makes the reaper's token, and remembers which lease it is named after.</summary>
    private async Task ReaperTokenAsync(HttpContext context)
    {
        var asked = await JsonNode.ParseAsync(context.Request.Body);
        _reaping = asked!["display_name"]!.GetValue<string>()["cb-".Length..];
        await _answers["auth/token/create/cb-test-db"](context);
    }

    /// <summary>Answers as the reaper of that lease.</summary>
    private Task ReapedAsync(HttpContext context) =>
        Json($$$"""{"lease_id":"x","lease_duration":60,"data":{"username":"cb-{{{_reaping}}}_12345678"}}""")(context);

    private static Func<HttpContext, Task> Json(string text) => ScriptedVault.Answer(text);

    private static Func<HttpContext, Task> Refusal(int status, string words) =>
        context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(
                new JsonObject { ["errors"] = words.Length == 0 ? [] : new JsonArray(words) }.ToJsonString()
            );
        };

    private sealed class LogLines : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) { }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Lines.Enqueue(formatter(state, exception) + exception);

        public void Dispose() { }
    }
}
