using CredBroker.Core.Issuing;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

/// <summary>A record that somebody damaged hides no secret, and stops nothing else.</summary>
public sealed class DamagedLeaseTests : IAsyncLifetime
{
    private const string Untold = "UPDATE lease SET told_sequence = -1 WHERE id = $id";

    private const string Record = """
        DROP TRIGGER audit_record_is_never_changed;
        UPDATE audit_record SET bytes = CAST($decision AS BLOB)
        WHERE (stream, sequence) = (SELECT told_stream, told_sequence FROM lease WHERE id = $id)
        """;

    private const string Kept = """
        INSERT INTO decision (number, id, lease, at, record)
        SELECT 1, 'd', l.id, 0, $decision FROM lease l JOIN audit_record r ON (r.stream, r.sequence) = (told_stream, told_sequence)
        WHERE l.id = $id;
        UPDATE lease SET decision = 1, told_stream = NULL, told_sequence = NULL WHERE id = $id
        """;

    private const string Details = "CAST(bytes AS TEXT) -> '$.details'";

    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync() => _broker = await BrokerHarness.StartAsync();

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [InlineData(Untold)]
    [InlineData("UPDATE lease SET told_sequence = 1 WHERE id = $id")]
    [InlineData("UPDATE lease SET told_sequence = (SELECT max(told_sequence) FROM lease) WHERE id = $id")]
    [InlineData(Record, "'no json'")]
    [InlineData(Record, "'null'")]
    [InlineData(Record, "json_remove(CAST(bytes AS TEXT), '$.details')")]
    [InlineData(Record, "json_remove(CAST(bytes AS TEXT), '$.lease')")]
    [InlineData(Record, "json_set(CAST(bytes AS TEXT), '$.details', NULL)")]
    [InlineData(Record, "json_remove(CAST(bytes AS TEXT), '$.details.decision.grant')")]
    [InlineData(Record, "json_set(CAST(bytes AS TEXT), '$.lease', 7)")]
    [InlineData(Kept, "'no json'")]
    [InlineData(Kept, "'null'")]
    [InlineData(Kept, $"json_remove({Details}, '$.decision.grant')")]
    [InlineData(Kept, $"json_set({Details}, '$.task.id', 'another')")]
    [InlineData(Record, "json_set(CAST(bytes AS TEXT), '$.details.request.credential', 'another')")]
    [InlineData("UPDATE lease SET process = 'another' WHERE id = $id")]
    [InlineData("UPDATE lease SET decision = 7, told_stream = NULL, told_sequence = NULL WHERE id = $id")]
    [InlineData("UPDATE lease SET opened_at = 9223372036854775807 WHERE id = $id")]
    public async Task An_order_names_a_lease_that_cannot_be_read_kills_it_and_is_not_complete_before_an_admin_says_so(
        string damage,
        string decision = ""
    )
    {
        var (lease, other) = (await _broker.IssueAsync(), await _broker.IssueAsync());
        // A row that is kept is one more.
        var rows = damage == Kept ? 2 : 1;
        await DamageAsync(damage.Replace("$decision", decision, StringComparison.Ordinal), lease.Id, rows);

        var order = await OrderAsync(new() { Agent = "triage" });
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Empty(_broker.Issuer.Alive);
        Assert.Empty(_broker.Issuer.Tokens);
        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(other.Id)).State);
        var waiting = await ProgressAsync(order);
        Assert.Equal((1, 1), (waiting.Counts[LeaseState.Failed], waiting.Counts[LeaseState.Revoked]));
        var left = Assert.Single(waiting.StillValid);
        Assert.Equal(lease.Id, left.LeaseId);
        Assert.Contains("damaged", left.What, StringComparison.Ordinal);
        Assert.Contains($"{lease.VaultLeaseId}, or knows it no more", left.What, StringComparison.Ordinal);

        await new LeaseConfirmation(_broker.Store).ConfirmAsync(
            lease.Id,
            "no such user",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );
        Assert.Equal([LeaseState.Revoked], (await ProgressAsync(order)).Counts.Keys);
    }

    [Theory]
    [InlineData("UPDATE lease SET attempts = 9223372036854775807 WHERE id = $id")]
    [InlineData("UPDATE lease SET state = 'whim' WHERE id = $id")]
    [InlineData("UPDATE lease SET state = 'revoked' WHERE id = $id")]
    [InlineData("UPDATE lease SET state = 'ended' WHERE id = $id")]
    [InlineData("UPDATE lease SET confirmed_at = 1 WHERE id = $id")]
    [InlineData("UPDATE lease SET state = 'revoking', confirmed_at = 1 WHERE id = $id")]
    [InlineData("UPDATE lease SET claimed_until = 7258118400000, claimed_by = 'x' WHERE id = $id")]
    [InlineData("UPDATE lease SET state = 'revoking', claimed_until = 7258118400000, claimed_by = 'x' WHERE id = $id")]
    public async Task What_a_later_write_sets_right_is_revoked_and_confirmed_as_any_other(string damage)
    {
        var lease = await _broker.IssueAsync();
        await DamageAsync(damage, lease.Id);

        var order = await OrderAsync(new() { Agent = "triage" });
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(_broker.Issuer.Alive);
        Assert.Equal(1, (await ProgressAsync(order)).Counts.Values.Sum());
        _broker.Time.Advance(TimeSpan.FromHours(2));
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal([LeaseState.Revoked], (await ProgressAsync(order)).Counts.Keys);
    }

    [Theory]
    [InlineData("UPDATE lease SET confirmed_at = NULL WHERE id = $id", "damaged")]
    [InlineData("DELETE FROM lease WHERE id = $id", "lost")]
    public async Task An_order_that_was_complete_is_not_where_the_record_of_a_lease_it_reached_is_damaged_or_gone(
        string damage,
        string said
    )
    {
        var (lease, other) = (await _broker.IssueAsync(), await _broker.IssueAsync());
        var order = await OrderAsync(new() { Agent = "triage" });
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal([LeaseState.Revoked], (await ProgressAsync(order)).Counts.Keys);

        await DamageAsync(damage, lease.Id);

        var progress = await ProgressAsync(order);
        Assert.Equal((1, 1), (progress.Counts[LeaseState.Failed], progress.Counts[LeaseState.Revoked]));
        Assert.Equal([other.Id], progress.Leases.Select(found => found.Id));
        Assert.Equal([lease.Id], progress.Unreadable.Select(found => found.Id));
        var left = Assert.Single(progress.StillValid);
        Assert.Equal(lease.Id, left.LeaseId);
        Assert.Contains(said, left.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vaults_refusal_to_revoke_a_lease_that_cannot_be_read_is_repeated()
    {
        var lease = await _broker.IssueAsync();
        await DamageAsync(Untold, lease.Id);
        _broker.Issuer.StrayOutcome = new RevokeOutcome.Failed("connection refused");
        var order = await OrderAsync(new() { Lease = lease.Id });
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Contains(
            "connection refused",
            Assert.Single((await ProgressAsync(order)).StillValid).What,
            StringComparison.Ordinal
        );
        Assert.Single(_broker.Issuer.Alive);

        _broker.Issuer.StrayOutcome = null;
        _broker.Time.Advance(TimeSpan.FromSeconds(31));
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task One_that_cannot_be_read_is_revoked_at_its_end_and_when_policy_changes()
    {
        var ended = await _broker.IssueAsync();
        await DamageAsync(Untold, ended.Id);
        _broker.Time.Advance(ended.ExpiresAt!.Value - _broker.Time.GetUtcNow() + TimeSpan.FromSeconds(1));
        await _broker.ExpireAsync();
        Assert.Empty(_broker.Issuer.Alive);

        var allowed = await _broker.IssueAsync();
        await DamageAsync(Untold, allowed.Id);
        await _broker.ApplyAsync(HarnessPolicy.Text() + "\n# another version\n");
        await _broker.Reevaluation.RunAsync(CancellationToken.None);
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Empty(_broker.Issuer.Alive);
    }

    [Fact]
    public async Task A_row_that_the_store_refuses_keeps_no_other_from_the_new_policy()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 1_002).Select(_ => _broker.IssueAsync()));
        var newest = leases.MaxBy(lease => lease.Id, StringComparer.Ordinal)!;
        await _broker.RefuseRowAsync(newest.Id);
        await _broker.ApplyAsync(HarnessPolicy.Text(rule: "agent == \"helper\""));

        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await _broker.Reevaluation.RunAsync(CancellationToken.None)
        );

        Assert.Equal([newest.Id], (await _broker.LeasesAsync(LeaseState.Active)).Select(lease => lease.Id));
    }

    [Fact]
    public async Task Forty_that_cannot_be_read_take_no_place_of_the_one_behind_them()
    {
        var leases = await Task.WhenAll(Enumerable.Range(0, 41).Select(_ => _broker.IssueAsync()));
        foreach (var lease in leases.SkipLast(1))
        {
            await DamageAsync("UPDATE lease SET state = 'revoking', cause = 'admin' WHERE id = $id", lease.Id);
            await DamageAsync(Untold, lease.Id);
        }

        await DamageAsync(
            "UPDATE lease SET state = 'revoking', cause = 'admin', next_attempt_at = 1 WHERE id = $id",
            leases[^1].Id
        );
        _broker.Issuer.StrayOutcome = new RevokeOutcome.Failed("connection refused");
        await Task.WhenAll(await _broker.Retry.PassAsync(CancellationToken.None));

        Assert.Equal(LeaseState.Revoked, (await _broker.LeaseAsync(leases[^1].Id)).State);
        await _broker.Retry.RunAsync(CancellationToken.None);
        Assert.Equal(40, _broker.Issuer.Alive.Count);
    }

    [Fact]
    public async Task Forty_orders_that_cannot_be_read_keep_no_other_from_being_carried_out()
    {
        var lease = await _broker.IssueAsync();
        for (var i = 0; i < 40; i++)
        {
            var damaged = await OrderAsync(new() { Agent = "helper" });
            await DamageAsync("UPDATE revocation_order SET selector = '{' WHERE id = $id", damaged.Id);
        }

        var order = await OrderAsync(new() { Lease = lease.Id });
        await _broker.Retry.RunAsync(CancellationToken.None);

        Assert.Equal([LeaseState.Revoked], (await ProgressAsync(order)).Counts.Keys);
        Assert.NotNull((await ProgressAsync(order)).Order.EnumeratedAt);
    }

    private async Task<RevocationOrder> OrderAsync(LeaseSelector selector) =>
        await _broker.Revocations.OrderAsync(
            selector,
            "incident",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            CancellationToken.None
        );

    private async Task<RevocationProgress> ProgressAsync(RevocationOrder order) =>
        (await _broker.Revocations.FindAsync(order.Id, CancellationToken.None))!;

    private async Task DamageAsync(string sql, string id, int rows = 1) =>
        Assert.Equal(rows, await _broker.ExecuteAsync(sql.Replace("$id", $"'{id}'", StringComparison.Ordinal)));
}
