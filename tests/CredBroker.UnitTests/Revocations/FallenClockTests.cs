using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

/// <summary>
/// A wall clock that was set back, by a time server or with a restored machine, keeps no revocation waiting; one that was
/// set ahead proves nothing before its time.
/// </summary>
public sealed class FallenClockTests : IAsyncLifetime
{
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task A_failing_revocation_is_repeated_within_its_usual_delay()
    {
        var lease = await FailingAsync();
        _broker.Wall.Offset = -TimeSpan.FromHours(10);

        // What was put off before the clock fell, and what is put off after.
        for (var attempts = 2; attempts <= 4; attempts++)
        {
            _broker.Time.Advance(TimeSpan.FromSeconds(31));
            await _broker.Retry.RunAsync(CancellationToken.None);
            Assert.Equal(attempts, (await _broker.LeaseAsync(lease.Id)).Attempts);
            _broker.Time.Advance(TimeSpan.FromMilliseconds(1));
            await _broker.Retry.RunAsync(CancellationToken.None);
            Assert.Equal(attempts, (await _broker.LeaseAsync(lease.Id)).Attempts);
        }

        _broker.Issuer.BackendDown = false;
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(lease.Id)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_claim_that_has_lapsed_is_taken_over(bool isFirst)
    {
        var lease = await _broker.IssueAsync();
        if (!isFirst)
        {
            _broker.Wall.Offset = -TimeSpan.FromHours(10);
            _broker.Time.Advance(TimeSpan.FromMinutes(1));
        }

        _broker.Issuer.BeforeRevoke = _ => throw new InvalidOperationException("the worker dies here");
        await OrderAsync(lease);
        await _broker.Retry.RunAsync(CancellationToken.None);
        _broker.Issuer.BeforeRevoke = null;
        _broker.Wall.Offset = -TimeSpan.FromHours(10);
        _broker.Time.Advance(_broker.Options.ClaimTime - TimeSpan.FromSeconds(2));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Single(_broker.Issuer.Alive);

        _broker.Time.Advance(TimeSpan.FromSeconds(3));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task An_issuance_that_was_cut_short_is_recovered_and_proven()
    {
        await CutShortAsync();
        _broker.Wall.Offset = -TimeSpan.FromHours(10);
        _broker.Time.Advance(_broker.Options.IssuanceDeadline + TimeSpan.FromSeconds(1));
        await _broker.Pending.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        _broker.Time.Advance(TimeSpan.FromSeconds(91));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task Once_the_wall_clock_has_caught_up_with_what_was_said_before_an_issuance_has_its_time()
    {
        await _broker.IssueAsync();
        _broker.Wall.Offset = -TimeSpan.FromMinutes(10);
        _ = _broker.Store.Position;
        _broker.Time.Advance(TimeSpan.FromMinutes(11));

        await CutShortAsync();
        await _broker.Pending.RunAsync(CancellationToken.None);
        Assert.Single(await _broker.LeasesAsync(LeaseState.Pending));
        await _broker.IssueAsync(BrokerHarness.Command(task: "t-2"));
    }

    [Fact]
    public async Task A_clock_that_jumps_ahead_proves_no_absence_before_its_time()
    {
        await CutShortAsync();
        _broker.Time.Advance(_broker.Options.IssuanceDeadline + TimeSpan.FromSeconds(1));
        await _broker.Pending.RunAsync(CancellationToken.None);

        // As far as a jump is believed at once.
        _broker.Wall.Offset = TimeSpan.FromSeconds(59);
        _broker.Time.Advance(TimeSpan.FromSeconds(89));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        _broker.Time.Advance(TimeSpan.FromSeconds(2));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_clock_that_jumped_ahead_and_is_believed_ends_no_secret_of_which_nobody_knows()
    {
        _broker.Issuer.HasReaper = false;
        await CutShortAsync();
        _broker.Time.Advance(_broker.Options.IssuanceDeadline + TimeSpan.FromSeconds(1));
        await _broker.Pending.RunAsync(CancellationToken.None);
        _broker.Wall.Offset = TimeSpan.FromHours(2);
        _ = _broker.Store.Position;
        _broker.Time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(_broker.Wall.GetUtcNow(), _broker.Store.Position.UtcNow);

        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoking, (await _broker.OnlyLeaseAsync()).State);

        _broker.Time.Advance(TimeSpan.FromMinutes(11));
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(LeaseState.Revoked, (await _broker.OnlyLeaseAsync()).State);
    }

    [Theory]
    [InlineData(-3600, true)]
    [InlineData(-1, false)]
    public async Task An_order_of_everything_on_an_old_copy_of_the_store_reaches_what_was_issued_since(
        int issuedSeconds,
        bool isKilled
    )
    {
        // The store's clock is that of the copy: a wall clock so far ahead is not believed at once.
        _broker.Wall.Offset = TimeSpan.FromHours(30);
        const string stray = "database/creds/billing/stray";
        _broker.Issuer.MintedAt[stray] = _broker.Wall.GetUtcNow().AddSeconds(issuedSeconds);
        _broker.Issuer.Alive[stray] = "accessor";

        var order = await _broker.Revocations.OrderAsync(
            new() { Everything = true },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        await _broker.Retry.RunAsync(CancellationToken.None);

        // What may be under way is left alone, and the order waits.
        Assert.Equal(isKilled, _broker.Issuer.Alive.IsEmpty);
        var shown = await _broker.Revocations.FindAsync(order.Id, CancellationToken.None);
        Assert.Equal(isKilled, shown!.Order.EnumeratedAt is not null);
    }

    private async Task<Lease> FailingAsync()
    {
        var lease = await _broker.IssueAsync();
        _broker.Issuer.BackendDown = true;
        await OrderAsync(lease);
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(1, (await _broker.LeaseAsync(lease.Id)).Attempts);
        return lease;
    }

    private ValueTask<RevocationOrder> OrderAsync(Lease lease) =>
        _broker.Revocations.OrderAsync(
            new() { Lease = lease.Id },
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private async Task CutShortAsync()
    {
        _broker.Issuer.BeforeMint = _ => throw new InvalidOperationException("the process dies here");
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _broker.IssueAsync(BrokerHarness.Command(task: "t-cut"))
        );
        _broker.Issuer.BeforeMint = null;
    }
}
