using CredBroker.Client;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// A Vault of three nodes behind one address. What a standby answers by itself may be old, and what it passes on can be
/// lost with the active node.
/// </summary>
public sealed class VaultClusterTests : IAsyncLifetime
{
    private const int Leases = 16;

    private IReadOnlyList<TestBao> _nodes = null!;
    private StallingProxy _address = null!;
    private World _world = null!;

    public async ValueTask InitializeAsync()
    {
        TestBao.SkipUnlessAvailable();
        TestPostgres.SkipUnlessAvailable();
        _nodes = await TestBao.StartClusterAsync(3);
        _address = new(_nodes[0].Address.Port);
        _world = await World.StartAsync(
            settings: new Dictionary<string, string> { ["Vault:Address"] = $"http://127.0.0.1:{_address.Port}" },
            node: _nodes[0]
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_world is not null)
        {
            await _world.DisposeAsync();
        }

        if (_address is not null)
        {
            await _address.DisposeAsync();
        }

        foreach (var node in (_nodes ?? []).Where(node => node != _world?.Vault))
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Through_a_standby_a_user_is_revoked_and_nothing_is_issued()
    {
        var agent = _world.Agent();
        var (leaseId, secret) = await _world.IssueAsync(agent);
        _address.LeadTo(_nodes[1].Address.Port);

        await agent.ReleaseAsync(leaseId);

        await _world.ConfirmedAsync(leaseId, secret);
        await Eventually.BecomesTrueAsync(
            async () => await _world.Broker.HealthAsync("issuing") != "ok",
            "nothing is issued where nothing can be proven"
        );
        _address.LeadTo(_nodes[0].Address.Port);
        await Eventually.BecomesTrueAsync(
            async () => await _world.Broker.HealthAsync("issuing") == "ok",
            "it is issued again"
        );
    }

    [Fact]
    public async Task The_active_node_dies_while_it_revokes_and_nothing_is_called_revoked_that_is_not()
    {
        var agent = _world.Agent();
        var issued = new Dictionary<string, DatabaseSecret>(StringComparer.Ordinal);
        for (var i = 0; i < Leases; i++)
        {
            var (leaseId, secret) = await _world.IssueAsync(agent);
            issued[leaseId] = secret;
        }

        // What is called revoked is looked at in the database afterwards, each time.
        await _world.Person("admin").RevokeAsync(new() { Agent = "triage", Reason = "incident" });
        await Eventually.BecomesTrueAsync(async () => await RevokedAsync() > 0, "it has begun");
        await _nodes[0].KillAsync();
        var left = Leases - await RevokedAsync();

        // First to one that may be a standby, then to the one that became active.
        _address.LeadTo(_nodes[1].Address.Port);
        var active = -1;
        await Eventually.BecomesTrueAsync(
            async () =>
            {
                await RevokedAsync();
                return (active = await ActiveAsync()) > 0;
            },
            "another node is active"
        );
        _address.LeadTo(_nodes[active].Address.Port);

        await Eventually.BecomesTrueAsync(async () => await RevokedAsync() == Leases, "all are revoked");
        Assert.Empty(await _world.Postgres.IssuedUsersAsync());
        Assert.True(left > 0, "nothing was left to be revoked when the active node died");

        async Task<int> RevokedAsync()
        {
            var revoked = (await _world.LeasesAsync()).Where(lease => lease.State == LeaseStates.Revoked).ToList();
            foreach (var secret in revoked.Select(lease => issued[lease.LeaseId]))
            {
                Assert.False(await _world.Postgres.CanLogInAsync(secret.Username, secret.Password));
            }

            return revoked.Count;
        }
    }

    private async Task<int> ActiveAsync()
    {
        for (var i = 1; i < _nodes.Count; i++)
        {
            using var health = await _nodes[i].CallAsync(HttpMethod.Get, "sys/health");
            if (health.IsSuccessStatusCode)
            {
                return i;
            }
        }

        return -1;
    }
}
