using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Http;

namespace CredBroker.UnitTests.Vault;

/// <content>What counts as a revocation that Vault confirms, and what does not.</content>
public sealed partial class VaultSecretIssuerTests
{
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
}
