using CredBroker.Core.State;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Storage.PostgreSql;
using CredBroker.Testing.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Storage;

/// <summary>
/// Two writers on one schema, each with transactions of its own: what one commits, the other's guards see. As the
/// contract's races, but nothing orders the two except PostgreSQL. CREDBROKER_TEST_ROUNDS asks for more rounds.
/// </summary>
public sealed class PostgresWritersTests(SharedPostgres shared) : IClassFixture<SharedPostgres>, IAsyncLifetime
{
    private const int Openers = 4;

    private static readonly int Rounds = int.TryParse(
        Environment.GetEnvironmentVariable("CREDBROKER_TEST_ROUNDS"),
        out var rounds
    )
        ? rounds
        : 250;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private PostgresSchema _schema = null!;
    private StoreSamples _samples = null!;
    private PostgresBrokerStore _one = null!;
    private PostgresBrokerStore _other = null!;

    public async ValueTask InitializeAsync()
    {
        _schema = await PostgresSchema.MakeAsync(await shared.GetAsync());
        (_samples, _one, _other) = (new(_time), Open(), Open());
    }

    public ValueTask DisposeAsync()
    {
        _one?.Dispose();
        _other?.Dispose();
        _schema?.Dispose();
        return default;
    }

    [Fact]
    public async Task No_lease_survives_the_others_order()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var selector = new LeaseSelector { Instance = $"i-{round}" };
            await RaceAsync(
                () => _samples.Opened(_samples.Lease(_samples.Decision(instance: selector.Instance)), round),
                _samples.Ordered(selector),
                selector,
                GuardFailure.Revoked
            );
        }
    }

    [Fact]
    public async Task No_lease_survives_the_closing_of_its_task_by_the_other()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var task = $"t-{round}";
            await CommitAsync(_other, Open(task));
            await RaceAsync(
                () => Open(task),
                _samples.Closed(task),
                new() { Process = "invoices", Task = task },
                GuardFailure.TaskClosed
            );
        }

        StateChange.LeaseOpened Open(string task) =>
            _samples.Opened(_samples.Lease(_samples.Decision(task: task)), long.MaxValue);
    }

    [Fact]
    public async Task No_lease_is_opened_under_a_policy_that_the_other_has_superseded()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var (version, instance) = (round, $"i-{round}");
            await RaceAsync(
                () => _samples.Opened(_samples.Lease(_samples.Decision(instance: instance, policyVersion: version))),
                StoreSamples.Policy(version, $"hash-{round}"),
                new() { Instance = instance },
                GuardFailure.PolicyChanged
            );
        }
    }

    [Fact]
    public async Task What_the_other_has_held_is_not_opened_or_activated()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var decision = _samples.Decision(instance: $"i-{round}");
            var (pending, opened) = (_samples.Lease(decision), _samples.Opened(_samples.Lease(decision)));
            await CommitAsync(_one, _samples.Opened(pending));
            var held = _samples.Held(new() { Instance = $"i-{round}" });
            var (outcome, _) = await BothAsync(opened, held);
            Assert.True(outcome is CommitOutcome.Committed || outcome == Refused(GuardFailure.Held));
            Assert.Equal(
                Refused(GuardFailure.Held),
                await _one.CommitAsync(_samples.Opened(_samples.Lease(decision)), default)
            );
            Assert.Equal(Refused(GuardFailure.Held), await _one.CommitAsync(_samples.Activated(pending.Id), default));
            await CommitAsync(_other, StoreSamples.Lifted(held.Hold.Id));
        }
    }

    [Fact]
    public async Task Of_two_that_want_the_same_one_gets_it()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var lease = _samples.Lease(_samples.Decision(task: $"t-{round}"));
            await CommitAsync(_one, _samples.Opened(lease));
            // Activated here, taken for revocation there: whichever comes first, the lease is being revoked.
            var (activated, _) = await BothAsync(
                _samples.Activated(lease.Id),
                _samples.Claimed(lease.Id, by: "worker-1")
            );
            Assert.True(activated is CommitOutcome.Committed || activated == Refused(GuardFailure.WrongState));
            Assert.Equal(LeaseState.Revoking, (await _one.Leases.FindAsync(lease.Id, default))?.State);
            Assert.Equal(
                Refused(GuardFailure.WrongState),
                await _one.CommitAsync(_samples.Claimed(lease.Id, by: "worker-2"), default)
            );

            var key = new IdempotencyClaim("caller", $"key-{round}", "hash", null);
            AssertOne(
                GuardFailure.IdempotencyTaken,
                await BothAsync(_samples.Opened(idempotency: key), _samples.Opened(idempotency: key))
            );
        }

        for (var round = 0; round < Rounds; round++)
        {
            AssertOne(
                GuardFailure.PolicyChanged,
                await BothAsync(
                    StoreSamples.Policy(round, $"one-{round}"),
                    StoreSamples.Policy(round, $"other-{round}")
                )
            );
        }
    }

    private static CommitOutcome.GuardFailed Refused(GuardFailure guard) => new(guard);

    private static void AssertOne(GuardFailure refused, (CommitOutcome One, CommitOutcome Other) outcomes)
    {
        var (committed, other) = outcomes.One is CommitOutcome.Committed ? outcomes : (outcomes.Other, outcomes.One);
        Assert.IsType<CommitOutcome.Committed>(committed);
        Assert.Equal(Refused(refused), other);
    }

    private PostgresBrokerStore Open() =>
        PostgresBrokerStore.Open(
            _schema.Options,
            _time,
            NullLogger<PostgresBrokerStore>.Instance,
            isAlone: false,
            byDatabase: false
        );

    private static async Task CommitAsync(PostgresBrokerStore store, StateChange change) =>
        Assert.IsType<CommitOutcome.Committed>(await store.CommitAsync(change, default));

    private async Task<(CommitOutcome One, CommitOutcome Other)> BothAsync(StateChange one, StateChange other)
    {
        var outcomes = await Task.WhenAll(
            Task.Run(async () => await _one.CommitAsync(one, default)),
            Task.Run(async () => await _other.CommitAsync(other, default))
        );
        return (outcomes[0], outcomes[1]);
    }

    /// <summary>
    /// One opens leases while the other fences them. Those that were let in are found by whoever has committed the fence,
    /// the others were refused, and so is whoever comes later.
    /// </summary>
    private async Task RaceAsync(
        Func<StateChange.LeaseOpened> open,
        StateChange fence,
        LeaseSelector selector,
        GuardFailure refused
    )
    {
        var changes = Enumerable.Range(0, Openers).Select(_ => open()).ToList();
        var opening = changes.Select(change => Task.Run(async () => await _one.CommitAsync(change, default))).ToList();
        await CommitAsync(_other, fence);
        var found = await _other.Leases.ListAsync(new() { Selector = selector, States = LeaseStates.Live }, default);
        var outcomes = await Task.WhenAll(opening);
        foreach (var (change, outcome) in changes.Zip(outcomes))
        {
            var isFound = found.Leases.Any(lease => lease.Id == change.Lease.Id);
            Assert.Equal(isFound, outcome is CommitOutcome.Committed);
            Assert.True(isFound || outcome == Refused(refused));
        }

        Assert.Equal(Refused(refused), await _one.CommitAsync(open(), default));
    }
}
