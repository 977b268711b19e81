using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Leases;

/// <summary>
/// What becomes of a lease whose mint was cut short: nothing is called revoked while its backend may hold a user, of which
/// Vault may know nothing.
/// </summary>
public sealed class AbsenceTests : IAsyncLifetime
{
    private static readonly Refusal NotKnown = new(RefusalCode.MintOutcomeUnknown, "not known");
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_user_that_Vault_does_not_know_is_gone_before_its_lease_is_called_revoked()
    {
        await CutShortAsync();
        Assert.Single(_broker.Issuer.Unregistered);

        await SweepAsync(TimeSpan.FromSeconds(91));

        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
        Assert.Empty(_broker.Issuer.Unregistered);
    }

    [Fact]
    public async Task A_backend_that_cannot_be_asked_now_is_asked_again()
    {
        await CutShortAsync();
        _broker.Issuer.BackendDown = true;
        await SweepAsync(TimeSpan.FromSeconds(91));
        Assert.Equal("connection refused", (await _broker.OnlyLeaseAsync()).LastError);

        _broker.Issuer.BackendDown = false;
        await SweepAsync(TimeSpan.FromSeconds(31));

        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
        Assert.Empty(_broker.Issuer.Unregistered);
    }

    [Fact]
    public async Task A_row_that_the_store_refuses_keeps_no_other_from_its_proof()
    {
        var cutShort = new List<string>();
        _broker.Issuer.AfterMint = (plan, _) =>
        {
            cutShort.Add(plan.LeaseId);
            return Task.FromResult<MintOutcome>(new MintOutcome.Unknown(NotKnown));
        };
        for (var i = 0; i < 3; i++)
        {
            await _broker.RefusedAsync(BrokerHarness.Command());
        }

        cutShort.Sort(StringComparer.Ordinal);
        await _broker.RefuseRowAsync(cutShort[0]);
        await SweepAsync(TimeSpan.FromSeconds(91));
        Assert.Equal(
            cutShort[1..],
            (await _broker.LeasesAsync(LeaseState.Revoked)).Select(lease => lease.Id).Order(StringComparer.Ordinal)
        );

        // It is left alone for a while, and not for ever.
        await _broker.ExecuteAsync("DROP TRIGGER refuse");
        await SweepAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(LeaseState.Revoking, (await _broker.LeaseAsync(cutShort[0])).State);
        await SweepAsync(_broker.Options.RetryDelayLimit);
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(cutShort[0])).State);
    }

    [Fact]
    public async Task With_nobody_to_ask_it_stays_revoking_until_such_a_user_could_no_longer_log_in()
    {
        _broker.Issuer.HasReaper = false;
        var revokedAt = _broker.Time.GetUtcNow();
        await CutShortAsync();

        // 90 s of Vault's, then the 15 minutes for which the role's users can log in.
        var until = revokedAt + TimeSpan.FromSeconds(90) + TimeSpan.FromMinutes(15);
        Assert.Equal(until, StillValid.Of(await _broker.OnlyLeaseAsync())?.Until);
        await SweepAsync(TimeSpan.FromSeconds(91));
        var waiting = await _broker.OnlyLeaseAsync();
        Assert.Equal((LeaseState.Revoking, until), (waiting.State, waiting.GraceUntil));
        Assert.Contains("may exist until then", StillValid.Of(waiting)?.What, StringComparison.Ordinal);
        Assert.Equal(until, waiting.NextAttemptAt);
        Assert.Single(await _broker.EventsAsync(AbsenceAwaited.TypeName));

        await SweepAsync(until - _broker.Time.GetUtcNow() - TimeSpan.FromMilliseconds(10));
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);
        await SweepAsync(TimeSpan.FromMilliseconds(20));

        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
        Assert.Null(StillValid.Of(await _broker.OnlyLeaseAsync()));
    }

    [Theory]
    [InlineData(-3, LeaseState.Revoked)]
    [InlineData(0, LeaseState.Failed)]
    public async Task Among_too_many_strays_it_is_gone_at_its_end_unless_one_of_them_may_be_its_own(
        int issuedHours,
        LeaseState state
    )
    {
        _broker.Issuer.HasReaper = false;
        await CutShortAsync();
        foreach (var i in Enumerable.Range(0, _broker.Options.StrayLimit + 1))
        {
            var stray = $"database/creds/billing/stray-{i}";
            // The last that is looked at.
            var issued = i == _broker.Options.StrayLimit ? issuedHours : -3;
            _broker.Issuer.MintedAt[stray] = _broker.Time.GetUtcNow().AddHours(issued);
            _broker.Issuer.Alive[stray] = "gone";
        }

        await SweepAsync(TimeSpan.FromSeconds(91));
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);
        await SweepAsync(TimeSpan.FromMinutes(16));

        Assert.Equal(state, (await _broker.OnlyLeaseAsync()).State);
        Assert.Equal(_broker.Options.StrayLimit + 1, _broker.Issuer.Alive.Count);
    }

    [Fact]
    public async Task On_a_path_that_is_not_ours_alone_it_is_never_called_revoked()
    {
        (_broker.Issuer.HasReaper, _broker.Issuer.CanList) = (false, false);
        await CutShortAsync();
        await SweepAsync(TimeSpan.FromSeconds(91));
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        await SweepAsync(TimeSpan.FromMinutes(16));

        var failed = await _broker.OnlyLeaseAsync();
        Assert.Equal(LeaseState.Failed, failed.State);
        Assert.Contains("not this installation's alone", failed.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_whose_parent_is_revoked_is_gone_when_it_would_have_ended()
    {
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "vault: { engine: database, mount: database, role: cb-test-billing }",
                    "vault: { engine: token, role: cb-test-billing-token }",
                    StringComparison.Ordinal
                )
        );
        (_broker.Issuer.HasReaper, _broker.Issuer.CanList) = (false, false);
        var until = _broker.Time.GetUtcNow() + TimeSpan.FromSeconds(90 + 30) + TimeSpan.FromMinutes(15);
        await CutShortAsync();
        await SweepAsync(TimeSpan.FromSeconds(91));
        Assert.Equal(until, (await _broker.OnlyLeaseAsync()).GraceUntil);
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        await SweepAsync(until - _broker.Time.GetUtcNow() + TimeSpan.FromMilliseconds(1));

        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Theory]
    // KV values alone, at most changed: nothing hangs on the token.
    [InlineData(
        """path "secret/data/a" { capabilities = ["read"] } path "secret/metadata/*" { capabilities = ["list"] }""",
        null
    )]
    [InlineData(
        """path "database/creds/reader" { capabilities = ["read"] }""",
        "with it (at database/creds/reader) hangs"
    )]
    [InlineData(
        """
            path "secret/data/a" { capabilities = ["read"] } path "database/creds/reader" { capabilities = ["read"] }
                path "auth/token/create/*" { capabilities = ["update"] }
            """,
        "with it (at database/creds/reader, auth/token/create/*) hangs"
    )]
    [InlineData(
        """path "secret/data/a" { capabilities = ["read"] } path "*" { capabilities = ["read"] }""",
        "with it (at *) hangs"
    )]
    // Not understood: nothing is said of where.
    [InlineData(
        """path "secret/data/a" { capabilities = ["read"] } "path" "x" { capabilities = ["read"] }""",
        "with it hangs"
    )]
    public async Task A_revoked_token_says_what_its_holder_may_have_made_with_it(string policy, string? said)
    {
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text()
                .Replace(
                    "vault: { engine: database, mount: database, role: cb-test-billing }",
                    "vault: { engine: token, role: cb-test-billing-token, setup: { policy: '"
                        + policy.ReplaceLineEndings(" ")
                        + "' } }",
                    StringComparison.Ordinal
                )
        );
        var lease = await _broker.IssueAsync();
        await _broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            BrokerHarness.Call,
            CancellationToken.None
        );

        var left = StillValid.Of(await _broker.LeaseAsync(lease.Id));

        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Equal(said is null, left is null);
        Assert.Contains(said ?? "", left?.What ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_Vault_makes_after_the_agent_was_answered_is_revoked_when_it_comes()
    {
        var late = new TaskCompletionSource<MintOutcome>();
        MintOutcome.Minted? made = null;
        _broker.Issuer.AfterMint = (_, minted) =>
        {
            made = minted;
            return Task.FromResult<MintOutcome>(new MintOutcome.Unknown(NotKnown, late.Task));
        };

        Assert.Equal(RefusalCode.MintOutcomeUnknown, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        var id = made!.Handles.VaultLeaseId!;
        _broker.Issuer.Alive[id] = "a token that revoking the accessor did not reach";
        late.SetResult(made);
        while ((await _broker.OnlyLeaseAsync()).State != LeaseState.Revoked)
        {
            await Task.Yield();
        }

        Assert.DoesNotContain(id, _broker.Issuer.Alive.Keys);
        Assert.Single(await _broker.EventsAsync(LeaseLate.TypeName));
    }

    [Fact]
    public async Task What_nobody_can_prove_an_admin_confirms_on_their_word_and_nothing_else()
    {
        var confirmation = new LeaseConfirmation(_broker.Store);
        var active = await _broker.IssueAsync(BrokerHarness.Command(task: "t-other"));
        (_broker.Issuer.HasReaper, _broker.Issuer.CanList) = (false, false);
        _broker.Issuer.AfterMint = (_, _) => Task.FromResult<MintOutcome>(new MintOutcome.Unknown(NotKnown));
        await _broker.ExchangeAsync(BrokerHarness.Command());
        var stuck = Assert.Single(await _broker.LeasesAsync(LeaseState.Revoking));

        var confirmed = Assert.IsType<LeaseOutcome.Found>(await ConfirmAsync(stuck.Id)).Lease;

        Assert.Equal((LeaseState.Revoked, BrokerHarness.Admin.ToString()), (confirmed.State, confirmed.ConfirmedBy));
        var recorded = Assert.Single(await _broker.EventsAsync(LeaseConfirmed.TypeName));
        Assert.Equal("no such role", recorded.GetProperty("details").GetProperty("evidence").GetString());
        Assert.Equal("ada", recorded.GetProperty("actor").GetProperty("subject").GetString());
        Assert.Equal(RefusalCode.LeaseStateConflict, await RefusedAsync(stuck.Id));
        Assert.Equal(RefusalCode.LeaseStateConflict, await RefusedAsync(active.Id));
        Assert.Equal(RefusalCode.LeaseNotFound, await RefusedAsync(new string('0', 32)));
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(active.Id)).State);
        Assert.Single(await _broker.EventsAsync(LeaseConfirmed.TypeName));

        ValueTask<LeaseOutcome> ConfirmAsync(string id) =>
            confirmation.ConfirmAsync(
                id,
                "no such role",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            );

        async Task<RefusalCode> RefusedAsync(string id) =>
            Assert.IsType<LeaseOutcome.Refused>(await ConfirmAsync(id)).Refusal.Code;
    }

    [Fact]
    public async Task An_admins_word_comes_after_a_first_attempt_and_not_while_one_is_under_way()
    {
        var lease = await _broker.IssueAsync();
        var order = await _broker.Revocations.OrderAsync(
            new() { Lease = lease.Id },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Revoker.MarkAsync(
            lease,
            new(RevocationCause.Admin, BrokerHarness.Admin, order.Id, null),
            LeaseStates.NotOver
        );
        Assert.Contains("not tried", await RefusedAsync(), StringComparison.Ordinal);

        var (atVault, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        (_broker.Issuer.BackendDown, _broker.Issuer.BeforeRevoke) = (
            true,
            async _ =>
            {
                atVault.TrySetResult();
                await goOn.Task;
            }
        );
        var underWay = await _broker.Retry.PassAsync(CancellationToken.None);
        await atVault.Task;
        Assert.Contains("under way", await RefusedAsync(), StringComparison.Ordinal);
        goOn.SetResult();
        await Task.WhenAll(underWay);

        // By word, not by proof: for as long as the backend may accept it, that is said.
        Assert.IsType<LeaseOutcome.Found>(await ConfirmAsync());
        var progress = await _broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.Equal([LeaseState.Revoked], progress!.Counts.Keys);
        var left = Assert.Single(progress.StillValid);
        Assert.Equal((lease.Id, lease.GraceUntil), (left.LeaseId, left.Until));
        Assert.Contains(BrokerHarness.Admin.ToString(), left.What, StringComparison.Ordinal);
        _broker.Time.Advance(lease.GraceUntil!.Value - _broker.Time.GetUtcNow());
        Assert.Empty((await _broker.Revocations.FindAsync(order.Id, CancellationToken.None))!.StillValid);

        ValueTask<LeaseOutcome> ConfirmAsync() =>
            new LeaseConfirmation(_broker.Store).ConfirmAsync(
                lease.Id,
                "no such role",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            );

        async Task<string> RefusedAsync() => Assert.IsType<LeaseOutcome.Refused>(await ConfirmAsync()).Refusal.Detail;
    }

    /// <summary>A mint whose answer is lost, and of which the backend keeps a user that Vault did not register.</summary>
    private async Task CutShortAsync()
    {
        _broker.Issuer.AfterMint = (plan, minted) =>
        {
            _broker.Issuer.Alive.TryRemove(minted.Handles.VaultLeaseId!, out _);
            _broker.Issuer.Unregistered[plan.LeaseId] = minted.Handles.PublicName;
            return Task.FromResult<MintOutcome>(new MintOutcome.Unknown(NotKnown));
        };
        Assert.IsType<ExchangeOutcome.Refused>(await _broker.ExchangeAsync(BrokerHarness.Command()));
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);
    }

    private async Task SweepAsync(TimeSpan after)
    {
        _broker.Time.Advance(after);
        await _broker.Retry.RunAsync(CancellationToken.None);
    }
}
