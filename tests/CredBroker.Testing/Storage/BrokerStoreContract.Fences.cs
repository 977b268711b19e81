using CredBroker.Core.Audit;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private static readonly TaskOwner Stranger = new("https://idp.example", "someone-else");

    [Fact]
    public async Task A_lease_that_an_order_reaches_is_not_opened_below_its_fence()
    {
        var before = Store.Position.Fence;
        var ordered = await CommitAsync(Samples.Ordered(new() { Agent = "triage", Credential = "billing" }));
        Assert.Equal((before + 1, before + 1), (ordered.Number, Store.Position.Fence));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Opened(fence: before));
        await CommitAsync(Samples.Opened(fence: ordered.Number));
    }

    [Fact]
    public async Task An_order_that_does_not_reach_the_lease_lets_it_pass()
    {
        await CommitAsync(Samples.Ordered(new() { Agent = "triage", Credential = "other" }));
        await CommitAsync(Samples.Ordered(new() { Lease = Samples.NewId() }));
        await CommitAsync(Samples.Opened(fence: 0));
    }

    [Fact]
    public async Task An_order_found_after_others_is_found_all_the_same()
    {
        await CommitAsync(Samples.Ordered(new() { Instance = "i-1" }));
        await CommitAsync(Samples.Ordered(new() { Instance = "i-2" }));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Opened(fence: 0));
        await CommitAsync(Samples.Opened(fence: 1));
    }

    [Fact]
    public async Task An_order_for_everything_reaches_everything()
    {
        await CommitAsync(Samples.Ordered(new() { Everything = true }));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Opened(fence: 0));
    }

    [Fact]
    public async Task The_fence_outlives_the_process()
    {
        await CommitAsync(Samples.Ordered(new() { Everything = true }));
        Reopen();
        Assert.Equal(1, Store.Position.Fence);
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Opened(fence: 0));
        Assert.Equal(2, (await CommitAsync(Samples.Ordered(new() { Everything = true }))).Number);
    }

    [Fact]
    public async Task A_lease_that_an_order_reaches_is_not_renewed_below_its_fence()
    {
        var lease = await ActiveLeaseAsync();
        await CommitAsync(Samples.Ordered(new() { Subject = "sub-1" }));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Renewed(lease.Id, fence: 0));
        await CommitAsync(Samples.Renewed(lease.Id, fence: 1));
    }

    [Fact]
    public async Task An_order_is_found_open_until_it_is_enumerated()
    {
        var change = Samples.Ordered(new() { Workload = "triage" });
        await CommitAsync(change);
        var expected = change.Order with { Fence = 1 };
        Assert.Equal(expected, await Store.Revocations.FindAsync(expected.Id, default));
        Assert.Equal([expected], await Store.Revocations.FindOpenAsync(100, _ => true, default));

        Time.Advance(TimeSpan.FromSeconds(3));
        NotSearched[] notSearched = [new("billing", "Not searched: \"billing\"."), new("", "Not searched: pki/.")];
        await CommitAsync(StoreSamples.Enumerated(expected.Id, notSearched));
        var enumerated = await Store.Revocations.FindAsync(expected.Id, default);
        Assert.Equal(notSearched, enumerated!.NotSearched);
        Assert.Equal(expected with { EnumeratedAt = Now }, enumerated with { NotSearched = null });
        Assert.Empty(await Store.Revocations.FindOpenAsync(100, _ => true, default));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Enumerated(expected.Id));
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Enumerated(Samples.NewId()));
        Assert.Null(await Store.Revocations.FindAsync(Samples.NewId(), default));
    }

    [Fact]
    public async Task The_first_lease_opens_its_task_for_its_workload()
    {
        await CommitAsync(Samples.Opened());
        await CommitAsync(Samples.Opened());
        await AssertGuardAsync(GuardFailure.TaskOwnedByAnother, Samples.Opened(owner: Stranger));
        await CommitAsync(Samples.Opened(Samples.Lease(Samples.Decision(process: "other")), owner: Stranger));
    }

    [Fact]
    public async Task A_refused_lease_opens_no_task()
    {
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 7)), owner: Stranger)
        );
        await CommitAsync(Samples.Ordered(new() { Everything = true }));
        await AssertGuardAsync(GuardFailure.Revoked, Samples.Opened(fence: 0, owner: Stranger));
        await CommitAsync(Samples.Opened(fence: 1));
    }

    [Fact]
    public async Task A_closed_task_takes_no_lease_ever_again()
    {
        await CommitAsync(Samples.Opened());
        var closed = Samples.Closed(owner: StoreSamples.Owner);
        Assert.Equal(1, (await CommitAsync(closed)).Number);
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Opened(fence: 1));
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Closed(owner: StoreSamples.Owner));
        Time.Advance(TimeSpan.FromDays(400));
        Reopen();
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Opened(fence: 1));
    }

    [Fact]
    public async Task Closing_a_task_orders_its_revocation_in_the_same_commit()
    {
        await CommitAsync(Samples.Opened());
        var closed = Samples.Closed();
        var order = StoreSamples.OrderOf(closed);
        await CommitAsync(closed);
        Assert.Equal([order with { Fence = 1 }], await Store.Revocations.FindOpenAsync(100, _ => true, default));
        Assert.Equal(RevocationCause.TaskClosed, (await Store.Revocations.FindAsync(order.Id, default))!.Cause);
    }

    [Fact]
    public async Task Orders_are_listed_newest_first_page_by_page()
    {
        Assert.Empty((await Store.Revocations.ListAsync(long.MaxValue, 2, default)).Orders);
        await CommitAsync(Samples.Opened());
        await CommitAsync(Samples.Closed());
        await CommitAsync(Samples.Ordered(new() { Instance = "i-1" }));
        await CommitAsync(Samples.Ordered(new() { Everything = true }));

        var (newest, next) = await Store.Revocations.ListAsync(long.MaxValue, 2, default);
        Assert.Equal(["", "i-1"], newest.Select(order => order.Selector.Instance ?? ""));
        Assert.Equal(newest[^1].Fence, next);
        var (oldest, none) = await Store.Revocations.ListAsync(next!.Value, 2, default);
        Assert.Equal(RevocationCause.TaskClosed, Assert.Single(oldest).Cause);
        Assert.Null(none);
    }

    [Fact]
    public async Task Orders_are_found_by_the_beginning_of_their_ids()
    {
        var orders = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            // A moment that another order's id cannot begin with.
            Time.Advance(TimeSpan.FromDays(1));
            var ordered = Samples.Ordered(new() { Instance = $"i-{i}" });
            await CommitAsync(ordered);
            orders.Add(ordered.Order.Id);
        }

        async Task<string[]> FindAsync(string prefix, int limit = 10) =>
            [.. (await Store.Revocations.FindByPrefixAsync(prefix, limit, default)).Select(order => order.Id)];

        Assert.Equal([orders[1]], await FindAsync(orders[1][..12]));
        Assert.Equal([orders[1]], await FindAsync(orders[1]));
        Assert.Equal([orders[2], orders[1], orders[0]], await FindAsync(orders[0][..1]));
        Assert.Equal([orders[2], orders[1]], await FindAsync(orders[0][..1], limit: 2));
        Assert.Empty(await FindAsync("ffff"));
    }

    [Fact]
    public async Task A_task_closed_before_its_first_lease_never_opens()
    {
        await AssertGuardAsync(GuardFailure.NotFound, Samples.Closed(owner: StoreSamples.Owner));
        await CommitAsync(StoreSamples.Barred(owner: StoreSamples.Owner));
        Assert.Empty(await Store.Revocations.FindOpenAsync(100, _ => true, default));
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Opened());
        await AssertGuardAsync(GuardFailure.TaskOwnedByAnother, Samples.Closed("t-1", Stranger));
        await AssertGuardAsync(GuardFailure.WrongState, StoreSamples.Barred(owner: StoreSamples.Owner));
        await CommitAsync(StoreSamples.Barred("t-2", owner: null));
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Opened(Samples.Lease(Samples.Decision(task: "t-2"))));
        await AssertGuardAsync(GuardFailure.TaskClosed, Samples.Closed("t-2", Stranger));
    }

    [Fact]
    public async Task Only_its_opener_or_an_admin_closes_a_task()
    {
        await CommitAsync(Samples.Opened());
        await AssertGuardAsync(GuardFailure.TaskOwnedByAnother, Samples.Closed(owner: Stranger));
        Assert.Empty(await Store.Revocations.FindOpenAsync(100, _ => true, default));
        await CommitAsync(Samples.Closed(owner: null));
    }

    [Fact]
    public async Task A_policy_version_follows_the_one_it_expects()
    {
        Assert.Null(await Store.Policies.FindNewestAsync(default));
        Assert.Equal(1, (await CommitAsync(StoreSamples.Policy(0, "a"))).Number);
        await AssertGuardAsync(GuardFailure.PolicyChanged, StoreSamples.Policy(0, "b"));
        await AssertGuardAsync(GuardFailure.PolicyChanged, StoreSamples.Policy(2, "b"));
        await CommitAsync(StoreSamples.Policy(1, "b"));
        await AssertGuardAsync(GuardFailure.PolicyWasVersionBefore, StoreSamples.Policy(2, "a"));
        Reopen();
        var found = (await Store.Policies.FindNewestAsync(default))!;
        Assert.Equal(
            (2L, "b", "# b", Now, 2L),
            (found.Version, found.Hash, found.Document.Text, found.AppliedAt, Store.Position.PolicyVersion)
        );
        Assert.Equal("{}", found.Document.Schemas["a.json"]);
    }

    [Fact]
    public async Task A_policy_version_keeps_who_made_it_and_comes_back_only_as_what_it_was()
    {
        var origin = new PolicyOrigin { Author = AuditActor.Person("https://people.example", "admin-1") };
        await CommitAsync(StoreSamples.Policy(0, "a"));
        await CommitAsync(StoreSamples.Policy(1, "b") with { Origin = origin });
        var back = origin with { Restores = 1, Reason = "it broke billing" };
        await AssertGuardAsync(
            GuardFailure.PolicyWasVersionBefore,
            StoreSamples.Policy(2, "a") with
            {
                Origin = origin,
            }
        );
        await AssertGuardAsync(GuardFailure.NotFound, StoreSamples.Policy(2, "b") with { Origin = back });
        await AssertGuardAsync(
            GuardFailure.NotFound,
            StoreSamples.Policy(2, "a") with
            {
                Origin = back with { Restores = 9 },
            }
        );
        await AssertGuardAsync(GuardFailure.PolicyChanged, StoreSamples.Policy(1, "a") with { Origin = back });
        await CommitAsync(StoreSamples.Policy(2, "a") with { Origin = back });
        Reopen();

        var versions = await Store.Policies.ListAsync(long.MaxValue, 10, default);
        Assert.Equal(
            [(3L, "a", back), (2L, "b", origin), (1L, "a", PolicyOrigin.File)],
            versions.Select(version => (version.Version, version.Hash, version.Origin))
        );
        Assert.Equal(back, (await Store.Policies.FindNewestAsync(default))!.Origin);
        Assert.Equal(origin, (await Store.Policies.FindAsync(2, default))!.Origin);
        Assert.Equal((3L, 2L), (await FindAsync("a"), await FindAsync("b")));
        Assert.Null(await FindAsync("c"));
        await AssertGuardAsync(GuardFailure.PolicyWasVersionBefore, StoreSamples.Policy(3, "b"));

        ValueTask<long?> FindAsync(string hash) => Store.Policies.FindVersionOfAsync(hash, default);
    }

    [Fact]
    public async Task A_lease_decided_under_another_policy_is_neither_opened_nor_renewed()
    {
        var lease = await ActiveLeaseAsync();
        await CommitAsync(StoreSamples.Policy(0, "a"));
        await AssertGuardAsync(GuardFailure.PolicyChanged, Samples.Opened());
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 2)))
        );
        await AssertGuardAsync(GuardFailure.PolicyChanged, Samples.Renewed(lease.Id));
        await CommitAsync(Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 1))));
        await CommitAsync(Samples.Renewed(lease.Id, policyVersion: 1));
    }

    [Fact]
    public async Task An_idempotency_key_is_taken_until_its_lease_is_over()
    {
        var first = Samples.Lease();
        await CommitAsync(Samples.Opened(first, idempotency: Key()));
        Assert.Equal(
            new IdempotencyRecord("hash", first.Id),
            await Store.Idempotency.FindAsync("caller", "key", default)
        );
        await AssertGuardAsync(GuardFailure.IdempotencyTaken, Samples.Opened(idempotency: Key()));
        await AssertGuardAsync(GuardFailure.IdempotencyTaken, Samples.Opened(idempotency: Key(replaces: first.Id)));
        await CommitAsync(Samples.Claimed(first.Id));
        await AssertGuardAsync(GuardFailure.IdempotencyTaken, Samples.Opened(idempotency: Key(replaces: first.Id)));
        await CommitAsync(StoreSamples.Revoked(first.Id));

        await AssertGuardAsync(GuardFailure.IdempotencyTaken, Samples.Opened(idempotency: Key()));
        await AssertGuardAsync(
            GuardFailure.IdempotencyTaken,
            Samples.Opened(idempotency: Key(hash: "other", replaces: first.Id))
        );
        var second = Samples.Lease();
        await CommitAsync(Samples.Opened(second, idempotency: Key(replaces: first.Id)));
        Assert.Equal(second.Id, (await Store.Idempotency.FindAsync("caller", "key", default))!.LeaseId);
        await AssertGuardAsync(GuardFailure.IdempotencyTaken, Samples.Opened(idempotency: Key(replaces: first.Id)));
    }

    [Fact]
    public async Task Idempotency_keys_of_different_callers_do_not_meet()
    {
        await CommitAsync(Samples.Opened(idempotency: Key()));
        await CommitAsync(Samples.Opened(idempotency: Key() with { CallerKey = "other" }));
        Assert.Null(await Store.Idempotency.FindAsync("third", "key", default));
    }

    [Fact]
    public async Task An_idempotency_key_is_free_after_a_day()
    {
        await CommitAsync(Samples.Opened(idempotency: Key()));
        Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        await AssertGuardAsync(GuardFailure.IdempotencyTaken, Samples.Opened(idempotency: Key()));
        Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await Store.Idempotency.FindAsync("caller", "key", default));
        await CommitAsync(Samples.Opened(idempotency: Key(hash: "other")));
    }

    [Fact]
    public async Task A_refused_lease_takes_no_idempotency_key()
    {
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 3)), idempotency: Key())
        );
        Assert.Null(await Store.Idempotency.FindAsync("caller", "key", default));
    }

    private static IdempotencyClaim Key(string hash = "hash", string? replaces = null) =>
        new("caller", "key", hash, replaces);
}
