using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

public sealed class SelectorCheckTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    public static TheoryData<LeaseSelector, string> Slips =>
        new()
        {
            {
                new() { Agent = "triag" },
                "agent `triag`, did you mean `triage`?"
            },
            {
                new() { Process = "invoice-triag" },
                "process `invoice-triag`, did you mean `invoice-triage`?"
            },
            {
                new() { Credential = "biling" },
                "credential `biling`, did you mean `billing`?"
            },
            {
                new() { Owner = "owner-2" },
                "owner `owner-2`, did you mean `owner-1`?"
            },
            {
                new() { Workload = "triagee" },
                "workload `triagee`, did you mean `triage`?"
            },
            {
                new() { Instance = "pod-17" },
                "instance `pod-17`, did you mean `pod-7`?"
            },
            {
                new() { Task = "t-11" },
                "task `t-11`, did you mean `t-1`?"
            },
            {
                new() { Issuer = "https://idp.exampel" },
                "did you mean `https://idp.example`?"
            },
            {
                new() { TrustDomain = "acme.exampel" },
                "trust domain `acme.exampel`"
            },
            {
                new() { Agent = "triage", Credential = "biling" },
                "credential `biling`, did you mean `billing`?"
            },
            {
                new() { Agent = "zzzzzzzz" },
                "no agent `zzzzzzzz`."
            },
        };

    [Theory]
    [MemberData(nameof(Slips))]
    public async Task A_mistyped_name_is_answered_with_what_may_have_been_meant(LeaseSelector selector, string text)
    {
        await _broker.IssueAsync(BrokerHarness.Command(instance: "pod-7"));
        foreach (var refusal in new[] { await ForRevocationAsync(selector), await ForHoldAsync(selector) })
        {
            Assert.Equal(RefusalCode.SelectorMatchesNothing, refusal?.Code);
            Assert.Contains(text, refusal!.Detail, StringComparison.Ordinal);
            Assert.Contains("Nothing was done", refusal.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_selector_of_a_live_lease_passes()
    {
        await _broker.IssueAsync(BrokerHarness.Command(instance: "pod-7"));
        Assert.Null(await ForRevocationAsync(new() { Instance = "pod-7", Agent = "triage" }));
        Assert.Null(await ForHoldAsync(new() { Instance = "pod-7", Agent = "triage" }));
    }

    [Fact]
    public async Task A_known_agent_without_a_lease_can_be_held_and_a_revocation_of_it_reaches_nothing()
    {
        Assert.Null(await ForHoldAsync(new() { Agent = "triage" }));
        var refusal = await ForRevocationAsync(new() { Agent = "triage" });
        Assert.Equal(RefusalCode.SelectorMatchesNothing, refusal?.Code);
        Assert.DoesNotContain("did you mean", refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_that_is_revoking_or_failed_is_reached_and_one_that_is_over_is_said_to_be()
    {
        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        await _broker.Agents.ReleaseAsync(
            FakeWorkloadVerifier.Token("triage"),
            lease.Id,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.Equal(LeaseState.Failed, (await _broker.LeaseAsync(lease.Id)).State);
        Assert.Null(await ForRevocationAsync(new() { Lease = lease.Id }));

        _broker.Issuer.BackendDown = false;
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        await _broker.Retry.RunAsync(CancellationToken.None);
        var over = await ForRevocationAsync(new() { Lease = lease.Id });
        Assert.Contains("The lease is revoked already.", over?.Detail, StringComparison.Ordinal);

        // Its instance is remembered, and can be held.
        Assert.Null(await ForHoldAsync(new() { Instance = "1" }));
    }

    [Fact]
    public async Task Everything_is_always_reached()
    {
        Assert.Null(await ForRevocationAsync(new() { Everything = true }));
        Assert.Null(await ForHoldAsync(new() { Everything = true }));
    }

    [Fact]
    public async Task A_store_that_does_not_answer_keeps_nobody_from_ordering()
    {
        var check = _broker.Selectors;
        await _broker.DisposeAsync();
        Assert.Null(await check.ForRevocationAsync(new() { Agent = "triag" }, CancellationToken.None));
        Assert.Null(await check.ForHoldAsync(new() { Agent = "triag" }, CancellationToken.None));
        _broker = await BrokerHarness.StartAsync();
    }

    private async Task<Refusal?> ForRevocationAsync(LeaseSelector selector) =>
        await _broker.Selectors.ForRevocationAsync(selector, CancellationToken.None);

    private async Task<Refusal?> ForHoldAsync(LeaseSelector selector) =>
        await _broker.Selectors.ForHoldAsync(selector, CancellationToken.None);
}
