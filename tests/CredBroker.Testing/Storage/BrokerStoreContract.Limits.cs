using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private static readonly PolicyLimit TwoActive = new()
    {
        Id = "two-active",
        Per = LimitScope.Instance,
        MaxActive = 2,
    };
    private static readonly PolicyLimit ThreeAnHour = new()
    {
        Id = "three-an-hour",
        Per = LimitScope.Instance,
        MaxIssued = new(3, TimeSpan.FromHours(1)),
    };
    private static readonly PolicyLimit TwoDenied = new()
    {
        Id = "two-denied",
        Per = LimitScope.Instance,
        MaxDenied = new(2, TimeSpan.FromMinutes(5)),
        QuarantineFor = TimeSpan.FromMinutes(15),
    };

    [Fact]
    public async Task A_limit_of_what_is_active_has_room_again_when_a_lease_is_over()
    {
        var (first, second) = (
            Samples.Opened(Samples.Decision(), TwoActive),
            Samples.Opened(Samples.Decision(), TwoActive)
        );
        await CommitAsync(first);
        await CommitAsync(second);
        await AssertLimitAsync(LimitKind.Active, null, TwoActive);
        // Another instance has its own.
        await CommitAsync(Samples.Opened(Samples.Decision(instance: "i-2"), TwoActive));

        // What is being revoked may still work.
        await CommitAsync(Samples.Claimed(first.Lease.Id));
        await AssertLimitAsync(LimitKind.Active, null, TwoActive);
        await CommitAsync(StoreSamples.Revoked(first.Lease.Id));
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive));
        await AssertLimitAsync(LimitKind.Active, null, TwoActive);
        await CommitAsync(StoreSamples.Ended(second.Lease.Id));
        // Once only: a second word that it is over frees nothing.
        Assert.IsType<CommitOutcome.GuardFailed>(await Store.CommitAsync(StoreSamples.Ended(second.Lease.Id), default));
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive));
        await AssertLimitAsync(LimitKind.Active, null, TwoActive);
    }

    [Fact]
    public async Task What_people_let_pass_takes_a_place_that_is_not_there_and_of_that_limit_alone()
    {
        var hard = TwoActive with { Id = "hard", Per = LimitScope.Workload, MaxActive = 3 };
        var first = Samples.Opened(Samples.Decision(), TwoActive, hard);
        await CommitAsync(first);
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive, hard));
        await AssertLimitAsync(LimitKind.Active, null, TwoActive, hard);

        await CommitAsync(LetPass(TwoActive, hard));
        var refused = await Store.CommitAsync(LetPass(TwoActive, hard), default);
        Assert.Equal("hard", Assert.IsType<CommitOutcome.GuardFailed>(refused).Breach?.Limit.Id);

        // Three were out: with one over, the limit is still full.
        await CommitAsync(StoreSamples.Ended(first.Lease.Id));
        await AssertLimitAsync(LimitKind.Active, null, TwoActive);
    }

    private StateChange.LeaseOpened LetPass(PolicyLimit limit, params PolicyLimit[] others)
    {
        var opened = Samples.Opened(Samples.Decision(), [limit, .. others]);
        return opened with
        {
            Reservations = opened.Reservations with
            {
                Limits =
                [
                    .. opened.Reservations.Limits.Select(use =>
                        use with
                        {
                            Passed = use.Limit == limit ? Enum.GetValues<LimitKind>() : [],
                        }
                    ),
                ],
            },
        };
    }

    [Fact]
    public async Task A_limit_of_what_is_issued_looks_back_for_its_window_to_the_millisecond()
    {
        foreach (var _ in Enumerable.Range(0, 3))
        {
            var opened = Samples.Opened(Samples.Decision(), ThreeAnHour);
            await CommitAsync(opened);
            // It is over, and counts all the same.
            await CommitAsync(StoreSamples.Ended(opened.Lease.Id));
            Time.Advance(TimeSpan.FromMinutes(10));
        }

        await AssertLimitAsync(LimitKind.Issued, TimeSpan.FromMinutes(30), ThreeAnHour);
        Time.Advance(TimeSpan.FromMinutes(30) - TimeSpan.FromMilliseconds(1));
        await AssertLimitAsync(LimitKind.Issued, TimeSpan.FromSeconds(1), ThreeAnHour);
        Time.Advance(TimeSpan.FromMilliseconds(1));
        await CommitAsync(Samples.Opened(Samples.Decision(), ThreeAnHour));
        await AssertLimitAsync(LimitKind.Issued, TimeSpan.FromMinutes(10), ThreeAnHour);
    }

    [Fact]
    public async Task A_batch_of_openings_stops_at_exactly_its_limits()
    {
        var perProcess = TwoActive with { Id = "per-process", Per = LimitScope.Process, MaxActive = 7 };
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(number => Samples.Decision(instance: $"i-{number % 6}"))
                .Select(decision =>
                    Store.CommitAsync(Samples.Opened(decision, ThreeAnHour, TwoActive, perProcess), default).AsTask()
                )
        );

        Assert.Equal(7, outcomes.OfType<CommitOutcome.Committed>().Count());
        Assert.All(
            outcomes.OfType<CommitOutcome.GuardFailed>(),
            failed => Assert.Equal(GuardFailure.LimitReached, failed.Reason)
        );
    }

    [Fact]
    public async Task A_limit_counts_what_an_earlier_version_of_it_counted()
    {
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive, ThreeAnHour));
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive, ThreeAnHour));

        await AssertLimitAsync(LimitKind.Active, null, TwoActive with { Id = "lowered", MaxActive = 1 });
        await AssertLimitAsync(
            LimitKind.Issued,
            TimeSpan.FromHours(1),
            ThreeAnHour with
            {
                Id = "renamed",
                MaxIssued = new(2, TimeSpan.FromHours(1)),
            }
        );
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive with { MaxActive = 3 }));
        // A refused opening takes no place of any limit, whichever refused it.
        await AssertLimitAsync(LimitKind.Active, null, ThreeAnHour, TwoActive);
        await CommitAsync(Samples.Opened(Samples.Decision(), ThreeAnHour));
    }

    [Fact]
    public async Task What_is_counted_lasts_over_a_restart()
    {
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive, ThreeAnHour));
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoActive, ThreeAnHour));
        Reopen();
        await AssertLimitAsync(LimitKind.Active, null, TwoActive);
        await CommitAsync(Samples.Opened(Samples.Decision(), ThreeAnHour));
        await AssertLimitAsync(LimitKind.Issued, TimeSpan.FromHours(1), ThreeAnHour);
    }

    [Fact]
    public async Task One_denial_too_many_places_one_hold_with_its_order_in_its_own_commit()
    {
        await CommitAsync(Samples.Denied(Samples.Decision(), TwoDenied));
        Assert.Equal(0, (await CommitAsync(Samples.Denied(Samples.Decision(), TwoDenied))).Number);
        Assert.Equal((0L, 0L), (Store.Position.Holds, Store.Position.Fence));
        var use = StoreSamples.Uses(Samples.Decision(), TwoDenied)[0];
        var instance = LimitUse.Instance(Samples.Decision());
        Assert.False(await Store.Limits.IsTrippedAsync(use, instance, default));

        var trips = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => CommitAsync(Samples.Denied(Samples.Decision(), TwoDenied)))
        );

        Assert.Single(trips, trip => trip.Number > 0);
        Assert.Equal((1L, 1L), (Store.Position.Holds, Store.Position.Fence));
        var hold = Assert.Single(await Store.Holds.ListInForceAsync(default));
        Assert.Equal(instance, hold.Selector);
        Assert.NotNull(await Store.Revocations.FindAsync(hold.RevocationId!, default));
        Assert.True(await Store.Limits.IsTrippedAsync(use, instance, default));
        var later = Samples.Opened(Samples.Decision(), TwoDenied);
        await AssertGuardAsync(
            GuardFailure.Held,
            later with
            {
                Reservations = later.Reservations with { Fence = Store.Position.Fence },
            }
        );
        await CommitAsync(Samples.Opened(Samples.Decision(instance: "i-2"), TwoDenied));
    }

    [Fact]
    public async Task Denials_keep_even_what_is_allowed_from_opening_until_they_are_long_ago()
    {
        var limit = TwoDenied with { QuarantineFor = null };
        var use = StoreSamples.Uses(Samples.Decision(), limit)[0];
        for (var denied = 0; denied < 9; denied++)
        {
            await CommitAsync(new StateChange.All([new StateChange.DenialCounted { Limits = [use], Event = null }]));
            Time.Advance(TimeSpan.FromSeconds(20));
        }

        await AssertLimitAsync(LimitKind.Denied, TimeSpan.FromMinutes(2), limit);
        // No more were counted than break it.
        Time.Advance(TimeSpan.FromMinutes(2));
        await CommitAsync(Samples.Opened(Samples.Decision(), limit));
    }

    [Fact]
    public async Task A_denial_is_counted_once_for_all_limits_that_count_it_together()
    {
        var wide = TwoDenied with { Id = "four-denied", MaxDenied = new(4, TimeSpan.FromMinutes(10)) };
        var apart = TwoDenied with { Id = "apart", Per = LimitScope.Process };
        var uses = StoreSamples.Uses(Samples.Decision(), TwoDenied, wide, apart);
        (int Denied, bool[] AreTripped)[] expected =
        [
            (2, [false, false, false]),
            (1, [true, false, true]),
            // The one that is broken keeps nothing from being counted for the other.
            (1, [true, false, true]),
            (1, [true, true, true]),
        ];
        foreach (var (denied, areTripped) in expected)
        {
            // In one batch, as denials come.
            await Task.WhenAll(Enumerable.Range(0, denied).Select(_ => CountAsync()));
            Assert.Equal(areTripped.ToList(), await AreTrippedAsync());
        }

        // Broken all, they are counted no more: in time there is room.
        await CountAsync();
        Time.Advance(TimeSpan.FromMinutes(10));
        Assert.DoesNotContain(true, await AreTrippedAsync());
        await CommitAsync(Samples.Opened(Samples.Decision(), TwoDenied, wide, apart));

        Task CountAsync() =>
            CommitAsync(new StateChange.All([new StateChange.DenialCounted { Limits = uses, Event = null }]));

        async Task<List<bool>> AreTrippedAsync()
        {
            var tripped = new List<bool>();
            foreach (var use in uses)
            {
                tripped.Add(
                    await Store.Limits.IsTrippedAsync(
                        use,
                        LimitUse.Instance(Samples.Decision()),
                        CancellationToken.None
                    )
                );
            }

            return tripped;
        }
    }

    [Fact]
    public async Task A_fleet_that_trips_leaves_room_for_the_holds_of_people()
    {
        var one = TwoDenied with { MaxDenied = new(1, TimeSpan.FromHours(1)), QuarantineFor = TimeSpan.FromHours(1) };
        await Task.WhenAll(
            Enumerable
                .Range(0, Hold.MaxInForce - Hold.KeptForPeople + 5)
                .SelectMany(number => Enumerable.Repeat($"i-{number}", 2))
                .Select(instance => CommitAsync(Samples.Denied(Samples.Decision(instance: instance), one)))
        );

        Assert.Equal(Hold.MaxInForce - Hold.KeptForPeople, Store.Position.Holds);
        await CommitAsync(Samples.Held(new() { Everything = true }));
        // Whom no hold could be placed for is refused by the limit.
        await CommitAsync(StoreSamples.Lifted((await Store.Holds.ListInForceAsync(default))[0].Id));
        var all = (await Store.Holds.ListInForceAsync(default)).Select(hold => hold.Selector.Instance).ToHashSet();
        var free = Enumerable.Range(0, Hold.MaxInForce).Select(i => $"i-{i}").First(name => !all.Contains(name));
        var outcome = await Store.CommitAsync(Samples.Opened(Samples.Decision(instance: free), one), default);
        Assert.Equal(LimitKind.Denied, Assert.IsType<CommitOutcome.GuardFailed>(outcome).Breach?.Kind);
    }

    /// <summary>Asserts that the limits keep a lease of the samples' instance from opening, and that it is seen before.</summary>
    private async Task AssertLimitAsync(LimitKind kind, TimeSpan? retryAfter, params PolicyLimit[] limits)
    {
        var (before, decision) = (Store.Position.AuditHead, Samples.Decision());
        var opened = Samples.Opened(decision, limits);
        var failed = Assert.IsType<CommitOutcome.GuardFailed>(await Store.CommitAsync(opened, default));
        Assert.Equal(GuardFailure.LimitReached, failed.Reason);
        Assert.Equal((kind, retryAfter), (failed.Breach!.Kind, failed.Breach.RetryAfter));
        Assert.Equal(failed.Breach, await Store.Limits.FindBreachAsync(opened.Reservations.Limits, default));
        Assert.Equal(before, Store.Position.AuditHead);
    }
}
