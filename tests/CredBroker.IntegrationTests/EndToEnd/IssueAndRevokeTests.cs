using CredBroker.Client;
using CredBroker.Testing.Processes;
using Npgsql;

namespace CredBroker.IntegrationTests.EndToEnd;

/// <summary>
/// The main job, with nothing faked: identity in, a working database user out, and gone when its time or somebody's
/// patience is over.
/// </summary>
public sealed class IssueAndRevokeTests : IAsyncLifetime
{
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task An_agent_with_an_OIDC_token_works_and_is_cut_off_at_expiry()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent(), ttl: "3s");
        await using var open = await _world.LogInAsync(secret);

        var lease = await _world.ConfirmedAsync(leaseId, secret);

        Assert.Equal("expiry", lease.Revocation?.Cause);
        Assert.Contains(leaseId, secret.Username, StringComparison.Ordinal);
        await AssertCutOffAsync(open);
    }

    [Fact]
    public async Task An_agent_with_a_SPIRE_JWT_SVID_works_and_an_admin_cuts_it_off()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.SpireAgent());
        await using var open = await _world.LogInAsync(secret);

        var order = await _world
            .Person("admin")
            .RevokeAsync(new() { TrustDomain = "agents.example", Reason = "incident" });

        var lease = await _world.ConfirmedAsync(leaseId, secret);
        Assert.Equal(("admin", order.RevocationId), (lease.Revocation?.Cause, lease.Revocation?.RevocationId));
        Assert.Equal("spiffe://agents.example/agents/triage/7", lease.Holder?.SpiffeId);
        await AssertCutOffAsync(open);
        await Eventually.BecomesTrueAsync(
            async () => (await _world.Person("admin").GetRevocationAsync(order.RevocationId)).Complete,
            "the order is complete"
        );
    }

    [Fact]
    public async Task A_policy_edit_cuts_off_what_it_no_longer_allows()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());
        await using var open = await _world.LogInAsync(secret);

        await _world.WritePolicyAsync(rule: "agent == \"triage\" && task.id == \"another\"");

        var lease = await _world.ConfirmedAsync(leaseId, secret);
        Assert.Equal("policy-change", lease.Revocation?.Cause);
        await AssertCutOffAsync(open);
        var refused = await Assert.ThrowsAsync<BrokerProblemException>(() => _world.ExchangeAsync(_world.Agent()));
        Assert.Equal("CB2001", refused.Code);
    }

    [Fact]
    public async Task A_release_is_confirmed_when_the_call_returns()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());

        await _world.Agent().ReleaseAsync(leaseId);

        await _world.ConfirmedAsync(leaseId, secret);
    }

    [Fact]
    public async Task A_closed_task_takes_its_users_along()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent(), task: "t-close");

        await _world.Agent().CloseTaskAsync("t-close", new() { Process = "invoice-triage" });

        Assert.Equal("task-closed", (await _world.ConfirmedAsync(leaseId, secret)).Revocation?.Cause);
    }

    [Fact]
    public async Task A_renewal_keeps_the_user_alive_past_its_first_end()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent(), ttl: "4s");

        var renewed = await _world.Agent().RenewAsync(leaseId, new() { Ttl = TimeSpan.FromSeconds(60) });
        Assert.True(renewed.ExpiresAt > renewed.ActivatedAt + TimeSpan.FromSeconds(30));
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(TimeProvider.System.GetUtcNow() > renewed.ActivatedAt + TimeSpan.FromSeconds(6)),
            "its first end is over"
        );

        Assert.True(await _world.Postgres.CanLogInAsync(secret.Username, secret.Password));
    }

    [Fact]
    public async Task An_agent_that_owns_a_large_object_loses_its_access_all_the_same()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());
        await using (var connection = await _world.LogInAsync(secret))
        {
            await using var command = new NpgsqlCommand("SELECT lo_create(0)", connection);
            await command.ExecuteScalarAsync();
        }

        await _world.Person("admin").RevokeAsync(new() { Lease = leaseId, Reason = "incident" });

        await _world.ConfirmedAsync(leaseId, secret);
    }

    [Fact]
    public async Task An_agent_that_keeps_reconnecting_loses_its_access_all_the_same()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());
        using var stop = new CancellationTokenSource();
        var stubborn = Enumerable
            .Range(0, 4)
            .Select(_ => Task.Run(() => KeepReconnectingAsync(secret, stop.Token)))
            .ToList();

        await _world.Person("admin").RevokeAsync(new() { Lease = leaseId, Reason = "incident" });
        await _world.ConfirmedAsync(leaseId, secret);

        Assert.Equal(0, await _world.Postgres.SessionsAsync(secret.Username));
        await stop.CancelAsync();
        await Task.WhenAll(stubborn);
    }

    [Fact]
    public async Task An_export_of_all_that_happened_verifies()
    {
        var (leaseId, secret) = await _world.IssueAsync(_world.Agent());
        await _world.Agent().ReleaseAsync(leaseId);
        await _world.ConfirmedAsync(leaseId, secret);

        var export = await ExportAsync(_world);

        foreach (var type in new[] { "request.allowed", "lease.issued", "lease.revocation-requested", "lease.revoked" })
        {
            Assert.Contains(
                export.Split('\n'),
                line =>
                    line.Contains($"\"type\":\"{type}\"", StringComparison.Ordinal)
                    && line.Contains(leaseId, StringComparison.Ordinal)
            );
        }
    }

    internal static async Task<string> ExportAsync(World world)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/audit/export");
        request.Headers.Authorization = new("Bearer", world.PersonToken("auditor"));
        using var answer = await world.Broker.Http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task AssertCutOffAsync(NpgsqlConnection open)
    {
        await using var query = new NpgsqlCommand("SELECT 1", open);
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await query.ExecuteScalarAsync());
    }

    private async Task KeepReconnectingAsync(DatabaseSecret secret, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await _world.LogInAsync(secret);
            }
            catch (NpgsqlException)
            {
                // Refused or cut off: that is what the test is about; the next try follows at once.
            }
        }
    }
}
