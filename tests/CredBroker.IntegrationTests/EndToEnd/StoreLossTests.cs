using CredBroker.Client;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>The kill switch where the store does not know, or cannot say, what was issued; with nothing faked.</summary>
public sealed class StoreLossTests : IAsyncLifetime
{
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Everything_ends_users_of_which_an_empty_store_knows_nothing()
    {
        var (_, first) = await _world.IssueAsync(_world.Agent());
        var (_, second) = await _world.IssueAsync(_world.Agent("i-2"));
        await _world.LoseStoreAsync(withAnchor: false);
        // It is behind its anchor, and issues nothing; the kill switch waits for nobody's word.
        await _world.StartBrokerAsync(untilIssuing: false);
        Assert.Empty(await _world.LeasesAsync());
        Assert.True(await _world.Postgres.CanLogInAsync(first.Username, first.Password));

        var admin = _world.Person("admin");
        var order = await admin.RevokeAsync(
            new()
            {
                Everything = true,
                Confirm = true,
                Reason = "restored",
            }
        );
        await Eventually.BecomesTrueAsync(
            async () => (await admin.GetRevocationAsync(order.RevocationId)).Complete,
            "the order is complete"
        );
        foreach (var secret in new[] { first, second })
        {
            Assert.False(await _world.Postgres.CanLogInAsync(secret.Username, secret.Password));
        }

        Assert.Empty(await _world.VaultLeasesAsync());
    }

    [Fact]
    public async Task A_start_on_an_empty_store_without_an_anchor_ends_the_few_users_that_it_does_not_know_by_itself()
    {
        var (_, first) = await _world.IssueAsync(_world.Agent());
        await _world.LoseStoreAsync();
        await _world.StartBrokerAsync();
        var (kept, second) = await _world.IssueAsync(_world.Agent("i-2"));
        await Eventually.BecomesTrueAsync(
            // Vault forgets its lease a moment after the user is gone.
            async () =>
                !await _world.Postgres.CanLogInAsync(first.Username, first.Password)
                && (await _world.VaultLeasesAsync()).Count == 1,
            "the user that no record knows is gone"
        );

        // Vault forgets a lease after its user is gone.
        await Eventually.BecomesTrueAsync(
            async () => (await _world.VaultLeasesAsync()).Count == 1,
            "its lease is gone as well"
        );
        Assert.True(await _world.Postgres.CanLogInAsync(second.Username, second.Password));
        Assert.Equal(LeaseStates.Active, (await _world.LeaseAsync(kept)).State);
    }

    [Fact]
    public async Task An_order_ends_users_while_the_stores_file_is_away()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Which file a path leads to is compared on Linux.");
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());
        var (store, away) = (Path.Combine(_world.Folder, "broker.db"), Path.Combine(_world.Folder, "away"));
        File.Move(store, away);

        var admin = _world.Person("admin");
        var order = await admin.RevokeAsync(new() { Agent = "triage", Reason = "incident" });
        Assert.True(order.RecordMissing);
        await Eventually.BecomesTrueAsync(
            async () => !await _world.Postgres.CanLogInAsync(secret.Username, secret.Password),
            "the user is gone"
        );
        Assert.False((await admin.GetRevocationAsync(order.RevocationId)).Complete);

        File.Move(away, store);
        await Eventually.BecomesTrueAsync(
            async () => (await admin.GetRevocationAsync(order.RevocationId)) is { Complete: true, RecordMissing: null },
            "the order is on record and complete"
        );
        await _world.ConfirmedAsync(leaseId, secret);
    }
}
