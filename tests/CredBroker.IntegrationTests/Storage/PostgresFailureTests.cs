using CredBroker.Core.PolicyVersions;
using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Broker;
using CredBroker.Testing.Processes;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>The store on a PostgreSQL that is lost, taken by another, broken or not what it has to be.</summary>
public sealed class PostgresFailureTests(SharedPostgres shared) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    private readonly List<PostgresBrokerStore> _stores = [];
    private TestPostgres _postgres = null!;
    private PostgresSchema _schema = null!;

    public async ValueTask InitializeAsync()
    {
        _postgres = await shared.GetAsync();
        _schema = await PostgresSchema.MakeAsync(_postgres);
    }

    public ValueTask DisposeAsync()
    {
        _stores.ForEach(store => store.Dispose());
        _schema.Dispose();
        return default;
    }

    [Fact]
    public async Task Who_needs_the_schema_alone_is_refused_until_the_others_have_gone_and_lets_none_in()
    {
        var first = Open();
        var failure = Assert.Throws<StoreUnavailableException>(OpenAlone);
        Assert.Contains("Another broker uses schema cb_", failure.Message, StringComparison.Ordinal);
        await CommitAsync(first);
        first.Dispose();
        var alone = OpenAlone();
        failure = Assert.Throws<StoreUnavailableException>(Open);
        Assert.Contains("alone: an older version", failure.Message, StringComparison.Ordinal);
        await CommitAsync(alone);
    }

    [Fact]
    public async Task A_connection_that_was_lost_is_made_anew()
    {
        var store = Open();
        await CommitAsync(store);
        await EndSessionsAsync();
        await CommitAsync(store);
        Assert.NotNull(await store.Leases.FindNamesAsync(SelectorField.Agent, default));
        Assert.Null(store.Fault);
    }

    [Fact]
    public async Task Who_lost_the_store_to_another_broker_commits_nothing()
    {
        var store = Open();
        // The other one waits for the lock, and has it before this one asks again.
        var opening = Task.Run(OpenAlone);
        await Eventually.BecomesTrueAsync(
            async () => await _postgres.CountAsync("pg_locks WHERE locktype = 'advisory' AND NOT granted") > 0,
            "the other broker waits"
        );
        await EndSessionsAsync("granted AND objid <> 0");
        var other = await opening;
        var failure = await Assert.ThrowsAsync<StoreUnavailableException>(() => CommitAsync(store));
        Assert.Contains("Another broker uses", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Nothing was committed", failure.Message, StringComparison.Ordinal);
        Assert.NotNull(store.Fault);
        await CommitAsync(other);
    }

    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_read_back_and_made_once()
    {
        await using var proxy = new StallingProxy(_postgres.Port);
        _schema.LeadTo(proxy.Port);
        var store = Open();
        proxy.LosesAnswerTo = "COMMIT\0";
        await CommitAsync(store);
        Assert.Null(proxy.LosesAnswerTo);
        await CommitAsync(store);
        Assert.Equal(3, await _schema.CountAsync("audit_record"));
    }

    [Fact]
    public async Task It_is_made_once_by_who_had_lost_the_store_for_a_while_too()
    {
        await using var proxy = new StallingProxy(_postgres.Port);
        _schema.LeadTo(proxy.Port);
        var store = Open();
        await EndSessionsAsync();
        Open().Dispose();
        proxy.LosesAnswerTo = "COMMIT\0";
        await CommitAsync(store);
        Assert.Null(proxy.LosesAnswerTo);
        // Three streams that were opened, of which the other one closed its own, and the one commit.
        Assert.Equal(5, await _schema.CountAsync("audit_record"));
    }

    [Fact]
    public async Task A_commit_that_was_lost_before_it_was_made_is_made_again()
    {
        var store = Open();
        // A sequence is not rolled back: the first commit ends its own session, and no other does.
        await _schema.ExecuteAsync(
            $"""
            CREATE SEQUENCE attempts;
            CREATE FUNCTION ends_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {_schema.Name} AS $$
            BEGIN
              IF nextval('attempts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER ends_once BEFORE UPDATE ON writer FOR EACH ROW EXECUTE FUNCTION ends_once();
            """
        );
        await CommitAsync(store);
        Assert.Equal(2, await _schema.CountAsync("audit_record"));
    }

    [Fact]
    public async Task A_server_that_is_gone_is_noticed_and_taken_up_again()
    {
        var store = Open();
        await _postgres.StopAsync();
        try
        {
            // Nothing is committed meanwhile: the look finds it out.
            await store.WatchAsync(default);
            Assert.Contains("does not accept", store.Fault, StringComparison.Ordinal);
            await Assert.ThrowsAsync<StoreUnavailableException>(() => CommitAsync(store));
            await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
                await store.Leases.FindAsync("0190", default)
            );
        }
        finally
        {
            await _postgres.StartAgainAsync();
        }

        await store.WatchAsync(default);
        Assert.Null(store.Fault);
        await CommitAsync(store);
    }

    [Fact]
    public async Task What_began_before_the_store_was_reached_anew_passes_no_fence_of_a_store_that_has_forgotten_orders()
    {
        var (store, samples) = (Open(), new StoreSamples(new(TimeProvider.System.GetUtcNow())));
        var live = samples.Lease();
        await CommitAsync(store, samples.Opened(live));
        await CommitAsync(store, samples.Activated(live.Id));
        await CommitAsync(store, samples.Ordered(new() { Agent = "another" }));
        var noted = store.Position;

        // A replica that lacked the order: the next one has its number.
        await _schema.ExecuteAsync("DELETE FROM revocation_order");
        await EndSessionsAsync();
        await CommitAsync(store, samples.Ordered(new() { Agent = "triage" }));

        Assert.Equal(noted.Fence, store.Position.Fence);
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.StoreReopened),
            await store.CommitAsync(samples.Opened(fence: noted.Fence, opening: noted.Opening), default)
        );
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.StoreReopened),
            await store.CommitAsync(samples.Renewed(live.Id, fence: noted.Fence, opening: noted.Opening), default)
        );
        noted = store.Position;
        await CommitAsync(store, samples.Opened(fence: noted.Fence, opening: noted.Opening));
    }

    [Fact]
    public async Task A_policy_version_that_was_lost_and_given_to_another_document_is_not_gone_on_with()
    {
        var (store, other) = (Open(), Open());
        var source = new FakePolicySource { Text = HarnessPolicy.Text() };
        using var control = new PolicyControl(source, store, NullLogger<PolicyControl>.Instance);
        using var another = new PolicyControl(source, other, NullLogger<PolicyControl>.Instance);
        Assert.True(await control.StartAsync(default));

        // A replica that lacked it: the next document has its number.
        await _schema.ExecuteAsync("DELETE FROM policy_version");
        await EndSessionsAsync();
        await CommitAsync(other);
        source.Text = HarnessPolicy.Text(comment: "another");
        Assert.True(await another.StartAsync(default));
        await CommitAsync(store);
        Assert.True(await control.RefreshAsync(default));

        Assert.Equal(1, control.Current!.Version);
        Assert.Equal(another.Current!.Set.Hash, control.Current.Set.Hash);
    }

    [Fact]
    public async Task The_audit_log_is_append_only()
    {
        await CommitAsync(Open());
        foreach (
            var statement in new[]
            {
                "UPDATE audit_record SET bytes = ''",
                "DELETE FROM audit_record",
                "TRUNCATE audit_record",
            }
        )
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => _schema.ExecuteAsync(statement));
            Assert.Contains("append-only", refused.MessageText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_value_that_PostgreSQL_cannot_hold_takes_no_neighbour_along()
    {
        var (store, samples) = (Open(), new StoreSamples(new(TimeProvider.System.GetUtcNow())));
        var commits = Enumerable
            .Range(0, 50)
            .Select(i =>
                store
                    .CommitAsync(
                        samples.Opened(samples.Lease(samples.Decision(task: i % 5 == 0 ? $"t-{i}\0" : $"t-{i}\ud800"))),
                        default
                    )
                    .AsTask()
            )
            .ToList();
        for (var i = 0; i < commits.Count; i++)
        {
            if (i % 5 == 0)
            {
                await Assert.ThrowsAsync<StoreUnavailableException>(() => commits[i]);
            }
            else
            {
                Assert.IsType<CommitOutcome.Committed>(await commits[i]);
            }
        }
    }

    [Fact]
    public async Task A_schema_of_a_newer_broker_is_left_alone()
    {
        Open().Dispose();
        await _schema.ExecuteAsync(
            "INSERT INTO schemaversions (scriptname, applied) VALUES ('CredBroker.Storage.Migrations.PostgreSql.9999_later.sql', now())"
        );
        var failure = Assert.Throws<StoreUnavailableException>(Open);
        Assert.Contains("was written by a newer broker", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_without_a_schema_is_told_how_to_make_one()
    {
        await _postgres.ExecuteAsync($"ALTER ROLE {_schema.Name} SET search_path = nowhere");
        var failure = Assert.Throws<StoreUnavailableException>(Open);
        Assert.Contains("CREATE SCHEMA credbroker AUTHORIZATION", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_that_is_refused_is_in_no_message()
    {
        _schema.LeadTo(_postgres.Port, "wrong-password-of-the-store");
        Assert.DoesNotContain(
            "wrong-password",
            Assert.Throws<StoreUnavailableException>(Open).ToString(),
            StringComparison.Ordinal
        );
    }

    private PostgresBrokerStore Open() => Open(isAlone: false);

    private PostgresBrokerStore OpenAlone() => Open(isAlone: true);

    private PostgresBrokerStore Open(bool isAlone)
    {
        var store = PostgresBrokerStore.Open(
            _schema.Options,
            TimeProvider.System,
            NullLogger<PostgresBrokerStore>.Instance,
            isAlone
        );
        _stores.Add(store);
        return store;
    }

    private static Task CommitAsync(PostgresBrokerStore store) => CommitAsync(store, StoreSamples.Recorded());

    private static async Task CommitAsync(PostgresBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));

    /// <summary>Ends the broker's sessions, or only those that hold the store's lock.</summary>
    private Task EndSessionsAsync(string? which = null) =>
        _postgres.ExecuteAsync(
            which is null
                ? $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{_schema.Name}'"
                : $"""
                SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
                WHERE locktype = 'advisory' AND {which} AND usename = '{_schema.Name}'
                """
        );
}
