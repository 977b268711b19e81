using CredBroker.Core.Audit;
using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Readiness;

/// <summary>What a broker does, and does not, on a store that is behind its anchor.</summary>
public sealed class StoreBehindTests : IAsyncLifetime
{
    private const string Unknown = "database/creds/billing/unknown";

    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task Nothing_is_issued_renewed_or_lifted_and_what_is_known_is_revoked()
    {
        var (first, second) = (
            await _broker.IssueAsync(),
            await _broker.IssueAsync(BrokerHarness.Command(task: "t-2"))
        );
        var placed = await _broker.Holds.PlaceAsync(
            new() { Agent = "other" },
            null,
            "later",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.True(placed.Passes(out var hold, out _));
        await FallBehindAsync();

        Assert.Equal(RefusalCode.StoreBehind, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);
        Assert.Equal(RefusalCode.StoreBehind, _broker.Readiness.Refusal?.Code);
        Assert.Equal(RefusalCode.StoreBehind, _broker.Readiness.Undelivered?.Code);
        var lifted = await _broker.Holds.LiftAsync(
            hold!.Id,
            "done",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.False(lifted.Passes(out _, out var refusal));
        Assert.Equal(RefusalCode.StoreBehind, refusal!.Code);

        await _broker.Revocations.OrderAsync(
            new() { Lease = first.Id },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(first.Id)).State);
        _broker.Time.Advance(TimeSpan.FromHours(1));
        await _broker.ExpireAsync();
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(second.Id)).State);
    }

    [Fact]
    public async Task What_is_under_way_when_the_store_falls_behind_is_not_delivered()
    {
        _broker.Issuer.BeforeMint = async _ => await FallBehindAsync();

        Assert.Equal(RefusalCode.StoreBehind, (await _broker.RefusedAsync(BrokerHarness.Command())).Code);

        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task What_the_store_does_not_know_is_shown_and_left_alone_until_the_store_is_accepted()
    {
        await FallBehindAsync();
        _broker.Issuer.Alive[Unknown] = "accessor";
        _broker.Issuer.MintedAt[Unknown] = _broker.Time.GetUtcNow();
        _broker.Time.Advance(_broker.Options.VaultRequestLimit + _broker.Options.IssuanceDeadline);
        await _broker.Strays.RunAsync(CancellationToken.None);
        Assert.Contains(Unknown, _broker.Issuer.Alive.Keys);
        var shown = Assert.Single(await _broker.StrayKill.FindAsync(CancellationToken.None));
        Assert.Equal([Unknown], shown.VaultLeaseIds);

        Assert.True(await AcceptAsync());
        _broker.Strays.Again();
        await _broker.Strays.RunAsync(CancellationToken.None);
        Assert.Contains(Unknown, _broker.Issuer.Alive.Keys);
        _broker.Time.Advance(_broker.Options.VaultRequestLimit);
        await _broker.Strays.RunAsync(CancellationToken.None);

        Assert.DoesNotContain(Unknown, _broker.Issuer.Alive.Keys);
        Assert.Null(_broker.Readiness.Refusal);
        await _broker.IssueAsync(BrokerHarness.Command(task: "t-3"));
    }

    [Fact]
    public async Task An_absence_is_not_proven_by_a_store_that_is_behind()
    {
        _broker.Issuer.AfterMint = (plan, minted) =>
        {
            _broker.Issuer.Alive.TryRemove(minted.Handles.VaultLeaseId!, out _);
            _broker.Issuer.Unregistered[plan.LeaseId] = minted.Handles.PublicName;
            return Task.FromResult<MintOutcome>(
                new MintOutcome.Unknown(new Refusal(RefusalCode.MintOutcomeUnknown, "not known"))
            );
        };
        await _broker.RefusedAsync(BrokerHarness.Command());
        await FallBehindAsync();
        await _broker.Retry.RunAsync(CancellationToken.None);
        _broker.Time.Advance(_broker.Options.VaultRequestLimit + TimeSpan.FromSeconds(1));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);
        Assert.NotEmpty(_broker.Issuer.Unregistered);

        Assert.True(await AcceptAsync());
        _broker.Time.Advance(_broker.Options.RetryDelayLimit + TimeSpan.FromSeconds(1));
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
        Assert.Empty(_broker.Issuer.Unregistered);
    }

    /// <summary>From now on the anchor names a record that the store does not have.</summary>
    private async Task FallBehindAsync()
    {
        _broker.AnchorPlace.IsBarred = false;
        var head = _broker.Store.Position.AuditHead;
        _broker.AnchorPlace.Anchor = new(1, 1, [head with { Sequence = head.Sequence + 100 }]);
        await _broker.Anchor.CompareAsync(CancellationToken.None);
        Assert.True(_broker.Anchor.Finding!.IsStoreBehind);
    }

    private ValueTask<bool> AcceptAsync() =>
        _broker.Anchor.AcceptAsync(
            2,
            "the backup of noon",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
}
