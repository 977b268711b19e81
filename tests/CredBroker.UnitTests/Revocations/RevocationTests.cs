using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Leases;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Audit;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

public sealed class RevocationTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task An_expired_lease_is_revoked_and_confirmed()
    {
        var lease = await _broker.IssueAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));

        await _broker.ExpireAsync();

        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.Expiry, "broker:expiry-sweep"),
            (revoked.State, revoked.Cause, revoked.RequestedBy)
        );
        Assert.NotNull(revoked.RevocationRequestedAt);
        Assert.NotNull(revoked.ConfirmedAt);
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task Nothing_is_asked_of_a_Vault_in_whose_place_another_broker_has_accepted_another()
    {
        var lease = await _broker.IssueAsync();
        await AcceptAsync(null);
        await AcceptAsync("one");
        _broker.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));

        await _broker.ExpireAsync();

        var waiting = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Revoking, 0), (waiting.State, waiting.Attempts));
        Assert.Single(_broker.Issuer.Alive);

        // Once this broker has heard of it, it is asked as ever.
        await new ClusterMemory(_broker.Store, _broker.Cluster).FollowAsync(default);
        _broker.Time.Advance(TimeSpan.FromHours(1));
        await _broker.Revoker.RevokeAsync(
            waiting,
            new(RevocationCause.Expiry, AuditActor.Broker("expiry-sweep"), null, null),
            []
        );
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Empty(_broker.Issuer.Alive);
    }

    private async Task AcceptAsync(string? expected) =>
        Assert.IsType<CommitOutcome.Committed>(
            await _broker.Store.CommitAsync(
                new StateChange.VaultClusterAccepted
                {
                    Cluster = "one",
                    Home = new("prod", ""),
                    Expected = expected,
                    ExpectedHome = expected is null ? null : new("prod", ""),
                    Event = new()
                    {
                        What = new VaultClusterAccepted
                        {
                            Cluster = "one",
                            Before = "",
                            Installation = "prod",
                            Namespace = "",
                            Reason = "",
                        },
                        Actor = AuditActor.Broker("probe"),
                    },
                },
                default
            )
        );

    [Fact]
    public async Task A_lease_before_its_end_is_left_alone()
    {
        var lease = await _broker.IssueAsync();
        _broker.Time.Advance(TimeSpan.FromMinutes(9));

        await _broker.ExpireAsync();

        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task A_lease_renewed_after_the_sweep_read_it_is_left_alone()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(1)));
        _broker.Time.Advance(TimeSpan.FromSeconds(59.5));
        var sweep = _broker.ExpireAsync();

        var renewed = await _broker.Agents.RenewAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            null,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.IsType<LeaseOutcome.Found>(renewed);
        _broker.Time.Advance(TimeSpan.FromSeconds(2));
        await sweep;

        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
    }

    [Fact]
    public async Task With_the_backend_down_nothing_is_called_revoked_and_all_is_confirmed_when_it_is_back()
    {
        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        _broker.Time.Advance(TimeSpan.FromMinutes(10) + TimeSpan.FromSeconds(1));
        await _broker.ExpireAsync();

        var failed = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Failed, 1, "connection refused"), (failed.State, failed.Attempts, failed.LastError));
        Assert.True(failed.NextAttemptAt > _broker.Time.GetUtcNow());
        Assert.Contains("Not confirmed yet", StillValid.Of(failed)?.What, StringComparison.Ordinal);

        for (var i = 0; i < 10; i++)
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(31));
            await _broker.Retry.RunAsync(CancellationToken.None);
        }

        Assert.Equal(
            (LeaseState.Failed, 11),
            ((await _broker.LeaseAsync(lease.Id)).State, (await _broker.LeaseAsync(lease.Id)).Attempts)
        );
        _broker.Issuer.BackendDown = false;
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await _broker.Retry.RunAsync(CancellationToken.None);
        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Revoked, RevocationCause.Expiry), (revoked.State, revoked.Cause));
    }

    [Fact]
    public async Task Failed_attempts_wait_longer_each_time_up_to_the_limit()
    {
        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        await ReleaseAsync(lease);
        var waits = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            var failed = await _broker.LeaseAsync(lease.Id);
            waits.Add((failed.NextAttemptAt!.Value - _broker.Time.GetUtcNow()).TotalSeconds);
            _broker.Time.Advance(TimeSpan.FromSeconds(31));
            await _broker.Retry.RunAsync(CancellationToken.None);
        }

        Assert.InRange(waits[0], 1, 2);
        Assert.InRange(waits[2], 4, 8);
        Assert.All(waits, wait => Assert.InRange(wait, 1, 30));
    }

    [Fact]
    public async Task A_released_lease_is_gone_when_the_call_returns()
    {
        var lease = await _broker.IssueAsync();

        var released = Assert.IsType<LeaseOutcome.Found>(await ReleaseAsync(lease)).Lease;

        Assert.Equal((LeaseState.Revoked, RevocationCause.Released), (released.State, released.Cause));
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, Assert.IsType<LeaseOutcome.Found>(await ReleaseAsync(lease)).Lease.State);
    }

    [Fact]
    public async Task An_agent_cannot_hurry_or_delay_a_revocation_that_failed()
    {
        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        await ReleaseAsync(lease);
        var failed = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((LeaseState.Failed, 1), (failed.State, failed.Attempts));

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(LeaseState.Failed, Assert.IsType<LeaseOutcome.Found>(await ReleaseAsync(lease)).Lease.State);
        }

        var after = await _broker.LeaseAsync(lease.Id);
        Assert.Equal((failed.Attempts, failed.NextAttemptAt), (after.Attempts, after.NextAttemptAt));
    }

    [Fact]
    public async Task One_workloads_reports_are_bounded_by_the_minute()
    {
        var lease = await _broker.IssueAsync();
        for (var i = 0; i < 120; i++)
        {
            Assert.IsType<LeaseOutcome.Found>(await ReportAsync());
        }

        Assert.Equal(RefusalCode.Overloaded, Assert.IsType<LeaseOutcome.Refused>(await ReportAsync()).Refusal.Code);
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<LeaseOutcome.Found>(await ReportAsync());

        ValueTask<LeaseOutcome> ReportAsync() =>
            _broker.Agents.ReportAsync(
                FakeWorkloadVerifier.Token("triage"),
                lease.Id,
                new("succeeded", "", null),
                BrokerHarness.Call,
                CancellationToken.None
            );
    }

    [Fact]
    public async Task Nobody_else_sees_releases_or_renews_a_lease()
    {
        var lease = await _broker.IssueAsync();
        foreach (var other in new[] { FakeWorkloadVerifier.Token("triage", "2"), FakeWorkloadVerifier.Token("helper") })
        {
            foreach (
                var outcome in new[]
                {
                    await _broker.Agents.FindAsync(other, lease.Id, BrokerHarness.Call, CancellationToken.None),
                    await _broker.Agents.ReleaseAsync(other, lease.Id, BrokerHarness.Call, CancellationToken.None),
                    await _broker.Agents.RenewAsync(other, lease.Id, null, BrokerHarness.Call, CancellationToken.None),
                    await _broker.Agents.ReportAsync(
                        other,
                        lease.Id,
                        new("succeeded", "", null),
                        BrokerHarness.Call,
                        CancellationToken.None
                    ),
                }
            )
            {
                Assert.Equal(RefusalCode.LeaseNotFound, Assert.IsType<LeaseOutcome.Refused>(outcome).Refusal.Code);
            }
        }

        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.All(
            await _broker.EventsAsync(RequestDenied.TypeName),
            denied => Assert.Equal("CB6004", denied.GetProperty("reason").GetString())
        );
        Assert.Equal(8, (await _broker.EventsAsync(RequestDenied.TypeName)).Count);
    }

    [Fact]
    public async Task An_order_reaches_what_it_selects_and_nothing_else()
    {
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"triage\" || agent == \"helper\""));
        var hit = await _broker.IssueAsync();
        var spared = await _broker.IssueAsync(BrokerHarness.Command(workload: "helper", task: "t-2"));

        var progress = await OrderAsync(new() { Agent = "triage" });

        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(hit.Id)).State);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(spared.Id)).State);
        Assert.Equal(1, progress.Counts[LeaseState.Revoked]);
        Assert.Equal(BrokerHarness.Admin.ToString(), (await _broker.LeaseAsync(hit.Id)).RequestedBy);
    }

    [Fact]
    public async Task An_order_says_what_nobody_can_revoke()
    {
        await _broker.IssueAsync(BrokerHarness.Command(credential: "api-key"));

        var progress = await OrderAsync(new() { Everything = true });

        Assert.Equal(1, progress.Counts[LeaseState.Ended]);
        Assert.Contains("Rotate secret/api/key", Assert.Single(progress.StillValid).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_lists_and_changes_nothing_but_the_record()
    {
        var lease = await _broker.IssueAsync();

        var preview = await _broker.Revocations.DryRunAsync(
            new() { Process = "invoice-triage" },
            "rehearsal",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

        Assert.Equal(lease.Id, Assert.Single(preview.Reached.Leases).Id);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
        // A look is no order, and is never counted as one.
        Assert.Empty(await _broker.EventsAsync(RevocationOrdered.TypeName));
        var looked = Assert.Single(await _broker.EventsAsync(RevocationPreviewed.TypeName));
        Assert.Equal("rehearsal", looked.GetProperty("details").GetProperty("reason").GetString());
        Assert.False(looked.TryGetProperty("revocation", out _));
    }

    [Fact]
    public async Task An_order_cut_short_before_its_enumeration_is_resumed_by_the_job()
    {
        var lease = await _broker.IssueAsync();
        var order = new RevocationOrder
        {
            Id = Ids.New(_broker.Time),
            Selector = new() { Lease = lease.Id },
            Cause = RevocationCause.Admin,
            RequestedBy = "person:x#ada",
            RequestedAt = _broker.Time.GetUtcNow(),
        };
        await _broker.Store.CommitAsync(
            new StateChange.RevocationOrdered
            {
                Order = order,
                Event = new() { What = new TestFact(RevocationOrdered.TypeName), Actor = BrokerHarness.Admin },
            },
            CancellationToken.None
        );

        await _broker.Retry.RunAsync(CancellationToken.None);

        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal(
            (LeaseState.Revoked, order.Id, "person:x#ada"),
            (revoked.State, revoked.RevocationId, revoked.RequestedBy)
        );
        Assert.Empty(await _broker.Store.Revocations.FindOpenAsync(100, _ => true, CancellationToken.None));
    }

    [Fact]
    public async Task A_closed_task_loses_its_secrets_and_takes_no_more()
    {
        var lease = await _broker.IssueAsync();

        Assert.Null(await CloseAsync("triage"));
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.TaskClosed),
            ((await _broker.LeaseAsync(lease.Id)).State, (await _broker.LeaseAsync(lease.Id)).Cause!.Value)
        );
        Assert.Equal(RefusalCode.TaskClosed, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Null(await CloseAsync("triage"));
    }

    [Fact]
    public async Task Only_its_opener_or_an_admin_closes_a_task()
    {
        await _broker.IssueAsync();

        Assert.Equal(RefusalCode.TaskOwnedByAnother, (await CloseAsync("helper"))?.Code);
        Assert.Equal(RefusalCode.ProcessNotAdmitted, (await CloseAsync("stranger"))?.Code);
        Assert.Equal(
            ["CB2014", "CB2004"],
            (await _broker.EventsAsync(RequestDenied.TypeName)).Select(denied =>
                denied.GetProperty("reason").GetString()
            )
        );
        Assert.Null(
            await _broker.Revocations.CloseTaskAsync(
                "invoice-triage",
                "t-1",
                null,
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            )
        );
    }

    [Fact]
    public async Task A_task_closed_before_its_first_lease_is_never_opened()
    {
        Assert.Null(await CloseAsync("triage"));

        Assert.Equal(RefusalCode.TaskClosed, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
    }

    [Fact]
    public async Task A_pending_lease_past_its_deadline_is_recovered()
    {
        _broker.Issuer.BeforeMint = _ => throw new InvalidOperationException("the process dies here");
        await Assert.ThrowsAsync<InvalidOperationException>(() => _broker.IssueAsync());
        Assert.Equal(LeaseState.Pending, (await _broker.OnlyLeaseAsync()).State);

        await _broker.Pending.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Pending, (await _broker.OnlyLeaseAsync()).State);

        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await _broker.Pending.RunAsync(CancellationToken.None);
        Assert.Equal(
            (LeaseState.Revoking, RevocationCause.Recovery),
            ((await _broker.OnlyLeaseAsync()).State, (await _broker.OnlyLeaseAsync()).Cause!.Value)
        );
        Assert.Empty(_broker.Issuer.Tokens);

        _broker.Time.Advance(TimeSpan.FromSeconds(91));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_lapsed_claim_is_taken_over()
    {
        var lease = await _broker.IssueAsync();
        await _broker.Store.CommitAsync(
            new StateChange.RevocationClaimed
            {
                LeaseId = lease.Id,
                Cause = RevocationCause.Admin,
                RequestedBy = "person:x#ada",
                RevocationId = null,
                ClaimedBy = "a worker that died",
                ClaimedUntil = _broker.Time.GetUtcNow() + TimeSpan.FromSeconds(60),
                OnlyFrom = [],
                Event = new() { What = new TestFact(RevocationRequested.TypeName), Actor = BrokerHarness.Admin },
            },
            CancellationToken.None
        );

        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await _broker.LeaseAsync(lease.Id)).State);

        _broker.Time.Advance(TimeSpan.FromSeconds(61));
        await _broker.Retry.RunAsync(CancellationToken.None);
        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.Admin, "person:x#ada"),
            (revoked.State, revoked.Cause, revoked.RequestedBy)
        );
    }

    private ValueTask<LeaseOutcome> ReleaseAsync(Lease lease) =>
        _broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private ValueTask<Refusal?> CloseAsync(string workload) =>
        _broker.Tasks.CloseAsync(
            FakeWorkloadVerifier.Token(workload),
            "invoice-triage",
            "t-1",
            BrokerHarness.Call,
            CancellationToken.None
        );

    private async Task<RevocationProgress> OrderAsync(LeaseSelector selector)
    {
        var order = await _broker.Revocations.OrderAsync(
            selector,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Retry.RunAsync(CancellationToken.None);
        return (await _broker.Revocations.FindAsync(order.Id, CancellationToken.None))!;
    }
}
