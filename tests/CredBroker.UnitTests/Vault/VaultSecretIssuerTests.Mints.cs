using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Vault;

/// <content>What the answers to a mint mean, and what is asked of Vault for one.</content>
public sealed partial class VaultSecretIssuerTests
{
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
}
