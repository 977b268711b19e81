using CredBroker.Core.Audit.Events;
using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Holds;

public sealed class HoldTests : IAsyncLifetime
{
    private static readonly LeaseSelector Triage = new() { Agent = "triage" };
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_quarantined_agent_loses_what_it_has_and_gets_nothing_in_the_same_second()
    {
        var lease = await _broker.IssueAsync();
        var hold = await QuarantineAsync(Triage);

        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(_broker.Issuer.Alive);
        var revoked = await _broker.LeaseAsync(lease.Id);
        Assert.Equal(
            (LeaseState.Revoked, RevocationCause.Quarantine, hold.RevocationId),
            (revoked.State, revoked.Cause!.Value, revoked.RevocationId)
        );
        var progress = await _broker.Revocations.FindAsync(hold.RevocationId!, CancellationToken.None);
        Assert.Equal(1, progress!.Counts[LeaseState.Revoked]);
    }

    [Fact]
    public async Task A_hold_alone_refuses_the_next_secret_and_leaves_the_last()
    {
        var lease = await _broker.IssueAsync();
        await HoldAsync(Triage);

        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(LeaseState.Active, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Single(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_held_request_costs_vault_nothing_and_is_on_record()
    {
        await HoldAsync(Triage);
        _broker.Issuer.OnPrepare = _ => throw new InvalidOperationException("Vault was asked.");

        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(
            "CB2017",
            Assert.Single(await _broker.EventsAsync(RequestDenied.TypeName)).GetProperty("reason").GetString()
        );
    }

    [Fact]
    public async Task A_hold_of_somebody_else_does_not_disturb()
    {
        await HoldAsync(new() { Agent = "helper" });
        await HoldAsync(new() { Credential = "api-key" });
        await _broker.IssueAsync();
    }

    [Fact]
    public async Task A_request_that_has_not_opened_its_lease_yet_is_refused()
    {
        _broker.Issuer.OnPrepare = async _ => await HoldAsync(Triage);

        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Empty(await _broker.LeasesAsync());
    }

    [Theory]
    [InlineData("billing")]
    [InlineData("api-key")]
    public async Task A_secret_that_is_being_made_is_not_delivered(string credential)
    {
        _broker.Issuer.BeforeMint = async _ => await HoldAsync(Triage);

        var refusal = await _broker.RefusedAsync(
            BrokerHarness.Command(credential: credential, ttl: TimeSpan.FromMinutes(2))
        );

        Assert.Equal(RefusalCode.Held, refusal.Code);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Contains((await _broker.OnlyLeaseAsync()).State, new[] { LeaseState.Revoked, LeaseState.Ended });
        Assert.Empty(await _broker.EventsAsync(LeaseIssued.TypeName));
    }

    [Fact]
    public async Task A_held_lease_is_not_renewed_and_vault_is_not_asked_to()
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2)));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        var hold = await HoldAsync(Triage);

        Assert.Equal(RefusalCode.Held, Assert.IsType<LeaseOutcome.Refused>(await RenewAsync(lease)).Refusal.Code);
        Assert.Equal(lease.ExpiresAt, (await _broker.LeaseAsync(lease.Id)).ExpiresAt);

        await LiftAsync(hold);
        Assert.IsType<LeaseOutcome.Found>(await RenewAsync(lease));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hold_on_the_name_that_policy_gives_an_agent_now_keeps_its_older_lease_from_being_renewed(
        bool isUnderWay
    )
    {
        var lease = await _broker.IssueAsync(BrokerHarness.Command(ttl: TimeSpan.FromMinutes(2)));
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await _broker.ApplyAsync(
            HarnessPolicy
                .Text("agent == \"sorter\"")
                .Replace("triage: { member", "sorter: { member", StringComparison.Ordinal)
                .Replace("[triage, helper]", "[sorter, helper]", StringComparison.Ordinal)
        );
        if (isUnderWay)
        {
            _broker.Issuer.OnRenew = () => HoldAsync(new() { Agent = "sorter" });
        }
        else
        {
            await HoldAsync(new() { Agent = "sorter" });
        }

        Assert.Equal(RefusalCode.Held, Assert.IsType<LeaseOutcome.Refused>(await RenewAsync(lease)).Refusal.Code);
        Assert.Equal(lease.ExpiresAt, (await _broker.LeaseAsync(lease.Id)).ExpiresAt);
    }

    [Fact]
    public async Task A_lifted_hold_says_who_and_why_and_lets_the_agent_ask_again()
    {
        var hold = await HoldAsync(Triage);
        var lifted = await LiftAsync(hold);

        Assert.Equal(
            ("it was a drill", BrokerHarness.Admin.ToString(), _broker.Time.GetUtcNow()),
            (lifted.LiftReason, lifted.LiftedBy, lifted.LiftedAt)
        );
        await _broker.IssueAsync();
        Assert.Single(await _broker.EventsAsync(HoldPlaced.TypeName));
        Assert.Single(await _broker.EventsAsync(HoldLifted.TypeName));
        Assert.Equal(RefusalCode.HoldOver, await RefusedLiftAsync(hold.Id));
        Assert.Equal(RefusalCode.HoldNotFound, await RefusedLiftAsync(new string('0', 32)));
        Assert.Equal(RefusalCode.HoldNotFound, await RefusedLiftAsync("no id"));
        Assert.Single(await _broker.EventsAsync(HoldLifted.TypeName));
    }

    [Fact]
    public async Task A_policy_that_allows_less_time_shortens_a_held_lease_all_the_same()
    {
        var lease = await _broker.IssueAsync();
        await HoldAsync(Triage);
        await _broker.ApplyAsync(HarnessPolicy.Text(maxTtl: "4m"));
        await _broker.Reevaluation.RunAsync(CancellationToken.None);

        Assert.Equal(lease.ActivatedAt + TimeSpan.FromMinutes(4), (await _broker.LeaseAsync(lease.Id)).ExpiresAt);
    }

    [Fact]
    public async Task A_repeated_request_is_refused_before_its_first_secret_is_taken_for_it()
    {
        await _broker.IssueAsync(BrokerHarness.Command(key: "k"));
        await HoldAsync(Triage);

        Assert.Equal(RefusalCode.Held, (await _broker.RefusedAsync(BrokerHarness.Command(key: "k"))).Code);
        Assert.Single(_broker.Issuer.Alive);
    }

    private async Task<Hold> HoldAsync(LeaseSelector selector) =>
        Passed(
            await _broker.Holds.PlaceAsync(
                selector,
                null,
                "incident",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            )
        );

    private async Task<Hold> QuarantineAsync(LeaseSelector selector) =>
        Passed(
            await _broker.Holds.QuarantineAsync(
                selector,
                TimeSpan.FromHours(2),
                "incident",
                BrokerHarness.Admin,
                BrokerHarness.Call,
                CancellationToken.None
            )
        );

    private async Task<Hold> LiftAsync(Hold hold) => Passed(await TryLiftAsync(hold.Id));

    private async Task<RefusalCode> RefusedLiftAsync(string id)
    {
        Assert.False((await TryLiftAsync(id)).Passes(out _, out var refusal));
        return refusal.Code;
    }

    private ValueTask<Checked<Hold>> TryLiftAsync(string id) =>
        _broker.Holds.LiftAsync(id, "it was a drill", BrokerHarness.Admin, BrokerHarness.Call, CancellationToken.None);

    private static Hold Passed(Checked<Hold> outcome)
    {
        Assert.True(outcome.Passes(out var hold, out var refusal), refusal?.Detail);
        return hold;
    }

    private ValueTask<LeaseOutcome> RenewAsync(Lease lease) =>
        _broker.Agents.RenewAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            TimeSpan.FromMinutes(5),
            BrokerHarness.Call,
            CancellationToken.None
        );
}
