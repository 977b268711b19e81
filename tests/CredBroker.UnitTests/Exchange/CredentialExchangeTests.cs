using System.Text;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Broker;
using Microsoft.Data.Sqlite;

namespace CredBroker.UnitTests.Exchange;

public sealed class CredentialExchangeTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_allowed_request_is_issued_and_on_record()
    {
        var lease = await _broker.IssueAsync();

        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Equal(_broker.Time.GetUtcNow() + TimeSpan.FromMinutes(10), lease.ExpiresAt);
        Assert.Equal(
            [RequestAllowed.TypeName, LeaseIssued.TypeName],
            (await _broker.EventsAsync())
                .Where(e => e.TryGetProperty("lease", out var id) && id.GetString() == lease.Id)
                .Select(e => e.GetProperty("type").GetString())
        );
    }

    [Fact]
    public async Task The_end_that_the_agent_is_told_is_the_one_on_record()
    {
        _broker.Issuer.AfterMint = (_, minted) =>
            Task.FromResult<MintOutcome>(
                minted with
                {
                    EndsAt = _broker.Time.GetUtcNow() + TimeSpan.FromMinutes(1) + TimeSpan.FromTicks(12_345),
                }
            );

        var lease = await _broker.IssueAsync();

        Assert.Equal((await _broker.LeaseAsync(lease.Id)).ExpiresAt, lease.ExpiresAt);
    }

    [Fact]
    public async Task The_handle_that_kills_the_secret_is_durable_before_the_secret_exists()
    {
        Lease? seen = null;
        _broker.Issuer.BeforeMint = async plan =>
            seen = await _broker.Store.Leases.FindAsync(plan.LeaseId, CancellationToken.None);

        await _broker.IssueAsync();

        Assert.Equal(LeaseState.Pending, seen?.State);
        Assert.NotNull(seen?.Accessor);
    }

    [Fact]
    public async Task A_stored_lease_gives_back_everything_the_decision_was_made_from()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(3)));

        var stored = (await _broker.LeaseAsync(lease.Id)).Decision;

        Assert.Equal("triage", stored.Verdict.Agent);
        Assert.Equal("triage-reads", stored.Verdict.RuleId);
        Assert.Equal(TimeSpan.FromMinutes(3), stored.Request.Ttl);
        Assert.Equal("owner-1", stored.Verdict.Grant?.Process.Owner?.Subject);
        Assert.Equal(lease.Grant.Entry.Vault, stored.Verdict.Grant?.Entry.Vault);
    }

    [Fact]
    public async Task A_refused_proof_is_recorded_as_unverified_and_issues_nothing()
    {
        var refusal = await _broker.RefusedAsync(
            BrokerHarness.Command() with
            {
                Proof = new IdentityProof.Bearer(new SecretText("garbage")),
            }
        );

        Assert.Equal(RefusalCode.TokenMalformed, refusal.Code);
        Assert.Equal(
            "unverified",
            Assert
                .Single(await _broker.EventsAsync(RequestRefused.TypeName))
                .GetProperty("actor")
                .GetProperty("kind")
                .GetString()
        );
        Assert.Empty(_broker.Issuer.Tokens);
    }

    [Fact]
    public async Task A_flood_of_refused_proofs_is_recorded_up_to_a_rate_and_then_counted()
    {
        var garbage = BrokerHarness.Command() with { Proof = new IdentityProof.Bearer(new SecretText("garbage")) };
        for (var i = 0; i < 100; i++)
        {
            await _broker.RefusedAsync(garbage);
        }

        await _broker.RefusedCalls.FlushAsync(CancellationToken.None);

        Assert.Equal(30, (await _broker.EventsAsync(RequestRefused.TypeName)).Count);
        Assert.Equal(
            70,
            Assert
                .Single(await _broker.EventsAsync(RequestsRefusedCounted.TypeName))
                .GetProperty("details")
                .GetProperty("total")
                .GetInt32()
        );
    }

    [Fact]
    public async Task A_denial_is_recorded_with_its_code_and_makes_no_token()
    {
        var refusal = await _broker.RefusedAsync(BrokerHarness.Command(workload: "helper"));

        Assert.Equal(RefusalCode.NoRuleAllows, refusal.Code);
        Assert.Equal(
            "CB2001",
            Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName)).GetProperty("reason").GetString()
        );
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Empty(await _broker.LeasesAsync());
    }

    /// <summary>Policy asks people; until they can be asked that is a denial, and the record says both.</summary>
    [Fact]
    public async Task A_challenge_is_denied_while_nobody_can_be_asked()
    {
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "effect: allow",
                    "approval: { approvers: [\"role:approver\"], expiresAfter: 5m }\n    effect: challenge",
                    StringComparison.Ordinal
                )
        );

        var refusal = await _broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal(RefusalCode.ApprovalNeeded, refusal.Code);
        var denied = Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName));
        Assert.Equal("deny", denied.GetProperty("facts").GetProperty("effect").GetString());
        Assert.Equal(
            "needs-approval",
            denied
                .GetProperty("details")
                .GetProperty("decision")
                .GetProperty("obligations")[0]
                .GetProperty("kind")
                .GetString()
        );
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Empty(await _broker.LeasesAsync());
    }

    [Fact]
    public async Task Nothing_is_issued_while_the_issuer_says_not_now()
    {
        _broker.Issuer.Status = new(false, new(RefusalCode.VaultSealed, "sealed"), null);

        Assert.Equal(RefusalCode.VaultSealed, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Tokens);
    }

    [Fact]
    public async Task Without_a_policy_nothing_is_issued()
    {
        await using var empty = new BrokerHarness();

        Assert.Equal(RefusalCode.PolicyMissing, (await empty.RefusedAsync(BrokerHarness.Command())).Code);
    }

    [Fact]
    public async Task A_policy_that_changes_under_way_decides_anew_and_drops_the_first_token()
    {
        _broker.Issuer.OnPrepare = async _ =>
        {
            _broker.Issuer.OnPrepare = null;
            await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));
        };

        Assert.Equal(RefusalCode.NoRuleAllows, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_policy_that_changes_at_every_try_ends_in_a_retry_later()
    {
        var edits = 0;
        _broker.Issuer.OnPrepare = _ => _broker.ApplyAsync(HarnessPolicy.Text(comment: $"edit {++edits}"));

        var refusal = await _broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal(RefusalCode.PolicyChanging, refusal.Code);
        Assert.NotNull(refusal.RetryAfter);
        Assert.Equal(3, edits);
        Assert.Empty(_broker.Issuer.Tokens);
    }

    [Fact]
    public async Task A_revocation_ordered_under_way_refuses_the_request_that_it_covers()
    {
        _broker.Issuer.OnPrepare = async _ =>
            await _broker.Revocations.OrderAsync(
                new() { Agent = "triage" },
                "incident",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            );

        Assert.Equal(RefusalCode.RevokedMeanwhile, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_revocation_of_somebody_else_does_not_disturb()
    {
        _broker.Issuer.OnPrepare = async _ =>
            await _broker.Revocations.OrderAsync(
                new() { Agent = "helper" },
                "incident",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            );

        await _broker.IssueAsync();
    }

    [Fact]
    public async Task A_revocation_ordered_while_the_secret_is_made_delivers_nothing_and_leaves_nothing()
    {
        _broker.Issuer.AfterMint = async (_, minted) =>
        {
            await _broker.Revocations.OrderAsync(
                new() { Agent = "triage" },
                "incident",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            );
            await _broker.Retry.RunAsync(CancellationToken.None);
            return minted;
        };

        Assert.Equal(RefusalCode.RevokedMeanwhile, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
        Assert.Equal(RevocationCause.Admin, (await _broker.OnlyLeaseAsync()).Cause);
    }

    [Fact]
    public async Task A_secret_that_comes_after_the_deadline_is_revoked_and_not_delivered()
    {
        _broker.Issuer.AfterMint = (_, minted) =>
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(31));
            return Task.FromResult<MintOutcome>(minted);
        };

        Assert.Equal(RefusalCode.MintOutcomeUnknown, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_secret_that_is_not_what_was_asked_for_is_revoked_and_not_delivered()
    {
        _broker.Issuer.AfterMint = (_, minted) =>
            Task.FromResult<MintOutcome>(
                new MintOutcome.Wrong(new(RefusalCode.SecretNotAsAsked, "other names"), minted.Handles)
            );

        Assert.Equal(RefusalCode.SecretNotAsAsked, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task When_Vault_says_that_nothing_was_made_the_lease_is_settled_at_once()
    {
        _broker.Issuer.AfterMint = (_, minted) =>
        {
            _broker.Issuer.Alive.Clear();
            return Task.FromResult<MintOutcome>(
                new MintOutcome.Refused(new(RefusalCode.MintFailed, "permission denied for database"))
            );
        };

        Assert.Equal(RefusalCode.MintFailed, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        var lease = await _broker.OnlyLeaseAsync();
        Assert.Equal((LeaseState.Revoked, RevocationCause.Recovery), (lease.State, lease.Cause));
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Equal(
            "CB4006",
            Assert
                .Single(await _broker.EventsAsync(RevocationRequested.TypeName))
                .GetProperty("details")
                .GetProperty("code")
                .GetString()
        );
    }

    [Fact]
    public async Task An_unknown_outcome_is_proven_absent_only_by_a_sweep_that_began_late_enough()
    {
        _broker.Issuer.AfterMint = (_, minted) =>
        {
            // The reply was lost, and the mint outlives the token's revocation.
            _broker.Issuer.Alive[minted.Handles.VaultLeaseId!] = "nobody";
            return Task.FromResult<MintOutcome>(
                new MintOutcome.Unknown(new(RefusalCode.MintOutcomeUnknown, "no reply"))
            );
        };
        await _broker.RefusedAsync(BrokerHarness.Command());

        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);
        _broker.Time.Advance(TimeSpan.FromSeconds(89));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        _broker.Time.Advance(TimeSpan.FromSeconds(2));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Single(await _broker.EventsAsync(StrayRevoked.TypeName));
    }

    [Fact]
    public async Task Where_leases_cannot_be_listed_absence_is_never_claimed()
    {
        _broker.Issuer.CanList = false;
        _broker.Issuer.AfterMint = (_, _) =>
            Task.FromResult<MintOutcome>(new MintOutcome.Unknown(new(RefusalCode.MintOutcomeUnknown, "no reply")));
        await _broker.RefusedAsync(BrokerHarness.Command());
        _broker.Time.Advance(TimeSpan.FromSeconds(91));

        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);
        _broker.Time.Advance(TimeSpan.FromMinutes(16));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Failed, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task More_strays_than_a_sweep_may_remove_stay_for_an_admin()
    {
        _broker.Issuer.HasReaper = false;
        _broker.Issuer.AfterMint = (_, _) =>
            Task.FromResult<MintOutcome>(new MintOutcome.Unknown(new(RefusalCode.MintOutcomeUnknown, "no reply")));
        await _broker.RefusedAsync(BrokerHarness.Command());
        for (var i = 0; i < 6; i++)
        {
            _broker.Issuer.Alive[$"database/creds/billing/stray-{i}"] = "nobody";
            _broker.Issuer.MintedAt[$"database/creds/billing/stray-{i}"] = _broker.Time.GetUtcNow();
        }

        _broker.Time.Advance(TimeSpan.FromSeconds(91));
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.True(_broker.Issuer.Alive.Count >= 6);
        // One of them may be its own, and nobody can ask its backend: until its end.
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        // Its own users are gone, whosever the strays are: it does not wait with them.
        _broker.Issuer.HasReaper = true;
        _broker.Time.Advance(TimeSpan.FromMinutes(16));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.True(_broker.Issuer.Alive.Count >= 6);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_static_value_ends_and_is_never_called_revoked()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(credential: "api-key"));
        Assert.Null(lease.Accessor);
        _broker.Time.Advance(TimeSpan.FromMinutes(6));

        await _broker.ExpireAsync();

        var ended = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Ended, RevocationCause.Expiry), (ended.State, ended.Cause));
        Assert.Contains("Rotate secret/api/key", StillValid.Of(ended)?.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_leaves_after_the_token_was_made_still_gets_a_lease_on_record()
    {
        using var client = new CancellationTokenSource();
        _broker.Issuer.OnPrepare = _ => client.CancelAsync();

        var outcome = await _broker.Exchange.ExchangeAsync(BrokerHarness.Command(), client.Token);

        Assert.IsType<ExchangeOutcome.Issued>(outcome);
        Assert.Equal(LeaseState.Active, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_client_that_leaves_before_costs_Vault_nothing()
    {
        using var client = new CancellationTokenSource();
        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await _broker.Exchange.ExchangeAsync(BrokerHarness.Command(), client.Token)
        );
        Assert.Empty(_broker.Issuer.Tokens);
    }

    [Fact]
    public async Task A_csr_is_refused_where_the_credential_takes_none()
    {
        var command = BrokerHarness.Command() with { Csr = new("pem", default) };

        Assert.Equal(RefusalCode.CsrInvalid, (await _broker.RefusedAsync(command)).Code);
    }

    [Fact]
    public async Task A_task_belongs_to_the_workload_that_opened_it()
    {
        await _broker.IssueAsync();
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"triage\" || agent == \"helper\""));

        Assert.Equal(
            RefusalCode.TaskOwnedByAnother,
            (await _broker.RefusedAsync(BrokerHarness.Command(workload: "helper"))).Code
        );
    }

    [Theory]
    [InlineData("請")]
    [InlineData("\"")]
    [InlineData("<")]
    public async Task A_denial_costs_the_store_little_more_than_what_was_said(string character)
    {
        var purpose = string.Concat(Enumerable.Repeat(character, 1000));
        var denied = BrokerHarness.Command(workload: "helper");
        await _broker.RefusedAsync(denied with { Task = denied.Task with { Purpose = purpose } });

        var record = Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName)).GetRawText();
        var said = Encoding.UTF8.GetByteCount(purpose);
        Assert.InRange(Encoding.UTF8.GetByteCount(record), said, (2 * said) + 2_500);

        // Once: in its event, and in no row beside it.
        await using var connection = new SqliteConnection(
            $"Data Source={_broker.StoreFile};Mode=ReadOnly;Pooling=False"
        );
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM decision";
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }
}
