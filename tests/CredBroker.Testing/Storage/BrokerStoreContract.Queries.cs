using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    public static TheoryData<LeaseSelector> Selectors =>
        [
            new LeaseSelector { Instance = "i-2" },
            new LeaseSelector { Task = "t-2" },
            new LeaseSelector { Process = "payments" },
            new LeaseSelector { Credential = "ledger" },
            new LeaseSelector
            {
                Process = "invoices",
                Task = "t-1",
                Instance = "i-1",
            },
            new LeaseSelector { Agent = "triage" },
            new LeaseSelector { Workload = "triage" },
            new LeaseSelector { Subject = "sub-1" },
            new LeaseSelector { Owner = "owner-1" },
            new LeaseSelector { Issuer = "https://idp.example" },
            new LeaseSelector { TrustDomain = "acme.example" },
            new LeaseSelector { Agent = "nobody" },
            new LeaseSelector { Everything = true },
            new LeaseSelector(),
        ];

    [Theory]
    [MemberData(nameof(Selectors))]
    public async Task A_selector_lists_what_it_matches_whether_live_or_not(LeaseSelector selector)
    {
        List<Lease> leases =
        [
            await ActiveLeaseAsync(),
            await ActiveLeaseAsync(Samples.Decision(instance: "i-2")),
            await RevokingLeaseAsync(Samples.Decision(task: "t-2")),
            await PendingLeaseAsync(Samples.Decision(process: "payments")),
            await ActiveLeaseAsync(Samples.Decision(credential: "ledger")),
        ];
        await CommitAsync(StoreSamples.Revoked(leases[2].Id));
        var expected = leases
            .Where(lease => selector.IsEmpty || selector.Matches(lease))
            .Select(lease => lease.Id)
            .OrderDescending(StringComparer.Ordinal)
            .ToArray();
        Assert.Equal(expected, await ListAsync(new() { Selector = selector }));
        Assert.Equal(
            expected.Except([leases[2].Id]),
            await ListAsync(new() { Selector = selector, States = LeaseStates.Live })
        );
        Assert.Equal(
            expected.Intersect([leases[2].Id]),
            await ListAsync(new() { Selector = selector, States = [LeaseState.Revoked, LeaseState.Ended] })
        );
    }

    [Fact]
    public async Task One_lease_is_selected_by_its_id()
    {
        var lease = await ActiveLeaseAsync();
        await ActiveLeaseAsync();
        Assert.Equal(
            [lease.Id],
            await ListAsync(
                new()
                {
                    Selector = new() { Lease = lease.Id },
                    States = LeaseStates.Live,
                }
            )
        );
    }

    [Fact]
    public async Task Leases_of_an_order_are_listed_in_every_state()
    {
        var (first, second) = (await ActiveLeaseAsync(), await ActiveLeaseAsync());
        await ActiveLeaseAsync();
        await CommitAsync(Samples.Claimed(first.Id, order: "order-1"));
        await CommitAsync(Samples.Claimed(second.Id, order: "order-1"));
        await CommitAsync(StoreSamples.Revoked(first.Id));
        Assert.Equal([second.Id, first.Id], await ListAsync(new() { RevocationId = "order-1" }));
        Assert.Equal([second.Id], await ListAsync(new() { RevocationId = "order-1", States = [LeaseState.Revoking] }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Pages_hold_every_lease_once_newest_first(bool onlyLive)
    {
        var expected = new List<string>();
        for (var i = 0; i < 25; i++)
        {
            expected.Insert(0, (await ActiveLeaseAsync()).Id);
            Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        var (found, query) = (
            new List<string>(),
            new LeaseQuery { Limit = 10, States = onlyLive ? LeaseStates.Live : [] }
        );
        LeasePage page;
        do
        {
            page = await Store.Leases.ListAsync(query, default);
            found.AddRange(page.Leases.Select(lease => lease.Id));
            query = query with { After = page.Next };
            await ActiveLeaseAsync();
        } while (page.Next is not null);
        Assert.Equal(expected, found.Intersect(expected));
        Assert.Equal(25 + 0, found.Intersect(expected).Count());
        Assert.Null((await Store.Leases.ListAsync(new() { Limit = 28, States = query.States }, default)).Next);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1001)]
    public async Task A_page_has_bounds(int limit) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            await Store.Leases.ListAsync(new() { Limit = limit }, default)
        );

    [Fact]
    public async Task Expired_leases_come_longest_overdue_first()
    {
        var later = await ActiveLeaseAsync(ttl: TimeSpan.FromMinutes(2));
        var sooner = await ActiveLeaseAsync(ttl: TimeSpan.FromMinutes(1));
        await PendingLeaseAsync();
        await RevokingLeaseAsync();
        Assert.Empty(await WorkAsync(LeaseWork.Expired));
        Assert.Empty(await WorkAsync(LeaseWork.Expired, Now.AddMinutes(1)));
        Assert.Equal([sooner.Id], await WorkAsync(LeaseWork.Expired, Now.AddMinutes(1).AddMilliseconds(1)));
        Assert.Equal([sooner.Id, later.Id], await WorkAsync(LeaseWork.Expired, Now.AddHours(1)));
        Assert.Equal([sooner.Id], await WorkAsync(LeaseWork.Expired, Now.AddHours(1), 1));
    }

    [Fact]
    public async Task Pending_leases_past_their_deadline_are_work()
    {
        var lease = await PendingLeaseAsync();
        await ActiveLeaseAsync();
        Assert.Empty(await WorkAsync(LeaseWork.PendingPastDeadline, Now.AddSeconds(30)));
        Assert.Equal([lease.Id], await WorkAsync(LeaseWork.PendingPastDeadline, Now.AddSeconds(31)));
    }

    [Fact]
    public async Task A_revocation_is_due_unless_claimed_or_waiting()
    {
        var (claimed, marked, failed) = (
            await RevokingLeaseAsync(),
            await ActiveLeaseAsync(),
            await RevokingLeaseAsync()
        );
        await CommitAsync(Samples.Claimed(marked.Id, by: null));
        await CommitAsync(Samples.Failed(failed.Id, TimeSpan.FromSeconds(5)));
        Assert.Equal([marked.Id], await RevocationsAsync());
        Time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal([marked.Id, failed.Id], await RevocationsAsync());
        Time.Advance(TimeSpan.FromSeconds(24));
        Assert.Equal(
            new[] { claimed.Id, marked.Id }.Order(StringComparer.Ordinal).Append(failed.Id),
            await RevocationsAsync()
        );
        await CommitAsync(StoreSamples.Revoked(failed.Id));
        Assert.Equal(2, (await RevocationsAsync()).Length);
    }

    [Theory]
    [InlineData(RevocationCause.Admin, RevocationLane.Emergency)]
    [InlineData(RevocationCause.Quarantine, RevocationLane.Emergency)]
    [InlineData(RevocationCause.PolicyChange, RevocationLane.PolicyChange)]
    [InlineData(RevocationCause.TaskClosed, RevocationLane.Ending)]
    [InlineData(RevocationCause.Released, RevocationLane.Ending)]
    [InlineData(RevocationCause.Recovery, RevocationLane.Retry)]
    public async Task Revocations_are_work_of_their_backend_in_their_lane(RevocationCause cause, RevocationLane lane)
    {
        var here = await ActiveLeaseAsync();
        var there = await ActiveLeaseAsync(Samples.Decision(mount: "elsewhere"));
        await CommitAsync(Samples.Claimed(here.Id, by: null, cause));
        await CommitAsync(Samples.Claimed(there.Id, by: null, cause));

        Assert.Equal(
            [new("database", lane), new("elsewhere", lane)],
            await Store.Leases.FindRevocationWorkAsync(Now, default)
        );
        Assert.Equal([here.Id, there.Id], await RevocationsAsync());

        await CommitAsync(Samples.Failed(here.Id, TimeSpan.FromSeconds(1)));
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Contains(
            new("database", RevocationLane.Retry),
            await Store.Leases.FindRevocationWorkAsync(Now, default)
        );
        Assert.Equal(2, (await RevocationsAsync()).Length);
    }

    [Fact]
    public async Task Revocations_are_found_in_every_lane_of_every_backend_where_one_is_due()
    {
        Assert.Empty(await Store.Leases.FindRevocationWorkAsync(Now, default));
        var expected = new List<BackendWork>();
        RevocationCause[] causes = [RevocationCause.Released, RevocationCause.PolicyChange, RevocationCause.Admin];
        RevocationLane[] lanes = [RevocationLane.Ending, RevocationLane.PolicyChange, RevocationLane.Emergency];
        foreach (var mount in new[] { "c", "a", "b" })
        {
            for (var i = 0; i < causes.Length; i++)
            {
                expected.Add(new(mount, lanes[i]));
                for (var times = 0; times < 3; times++)
                {
                    var lease = await ActiveLeaseAsync(Samples.Decision(mount: mount));
                    await CommitAsync(Samples.Claimed(lease.Id, by: null, causes[i]));
                }
            }
        }

        // Of what waits for its next attempt nothing is due.
        var later = await ActiveLeaseAsync(Samples.Decision(mount: "d"));
        await CommitAsync(Samples.Claimed(later.Id, by: null, RevocationCause.Released));
        await CommitAsync(Samples.Failed(later.Id, TimeSpan.FromSeconds(1)));

        Assert.Equal(
            expected.OrderBy(work => work.Lane).ThenBy(work => work.Backend, StringComparer.Ordinal),
            await Store.Leases.FindRevocationWorkAsync(Now, default)
        );
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Contains(new("d", RevocationLane.Retry), await Store.Leases.FindRevocationWorkAsync(Now, default));
    }

    [Fact]
    public async Task Peoples_orders_are_open_before_those_that_close_a_task()
    {
        await CommitAsync(Samples.Opened());
        var closed = Samples.Closed();
        var (first, second) = (
            Samples.Ordered(new() { Instance = "i-1" }),
            Samples.Ordered(new() { Instance = "i-2" })
        );
        foreach (var change in new StateChange[] { closed, first, second })
        {
            await CommitAsync(change);
        }

        Assert.Equal(
            [first.Order.Id, second.Order.Id, StoreSamples.OrderOf(closed).Id],
            (await Store.Revocations.FindOpenAsync(100, _ => true, default)).Select(order => order.Id)
        );
        Assert.Equal(first.Order.Id, Assert.Single(await Store.Revocations.FindOpenAsync(1, _ => true, default)).Id);
    }

    [Fact]
    public async Task Known_vault_leases_are_told_from_strays()
    {
        await ActiveLeaseAsync();
        var revoked = await RevokingLeaseAsync();
        await CommitAsync(StoreSamples.Recorded(revoked.Id, new("database/creds/billing/late", null, "")));
        await CommitAsync(StoreSamples.Revoked(revoked.Id));
        string[] asked =
        [
            StoreSamples.Handles.VaultLeaseId!,
            "database/creds/billing/late",
            "stray",
            .. Enumerable.Range(0, 40_000).Select(i => $"stray-{i}"),
        ];
        Assert.Equal(
            // What is alive under the id of a lease that is over is a stray.
            asked[..1].ToHashSet(),
            (await Store.Leases.FindKnownVaultLeasesAsync(asked, default)).ToHashSet()
        );
        Assert.Empty(await Store.Leases.FindKnownVaultLeasesAsync([], default));
    }

    [Fact]
    public async Task All_that_is_not_over_is_gone_through_at_several_places_at_once()
    {
        var leases = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            leases.Add((await ActiveLeaseAsync()).Id);
        }

        await CommitAsync(Samples.Claimed(leases[1]));
        await CommitAsync(StoreSamples.Revoked(leases[1]));
        leases.RemoveAt(1);
        leases.Sort(StringComparer.Ordinal);
        leases.Reverse();

        Assert.Equal([leases[2], leases[5]], await Store.Leases.FindPageEndsAsync(3, default));
        Assert.Empty(await Store.Leases.FindPageEndsAsync(8, default));

        LeaseQuery all = new() { States = LeaseStates.NotOver };
        Assert.Equal(leases[..3], await ListAsync(all with { Until = leases[2] }));
        Assert.Equal(leases[3..6], await ListAsync(all with { After = leases[2], Until = leases[5] }));
        Assert.Equal(leases[6..], await ListAsync(all with { After = leases[5] }));
    }

    [Fact]
    public async Task Leases_are_found_by_the_beginning_of_their_ids()
    {
        var leases = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            // A moment that another lease's id cannot begin with.
            Time.Advance(TimeSpan.FromDays(1));
            leases.Add((await ActiveLeaseAsync()).Id);
        }

        await CommitAsync(Samples.Claimed(leases[0], by: null, order: "order-1"));
        await CommitAsync(Samples.Claimed(leases[1], by: null, order: "order-1"));

        async Task<string[]> FindAsync(string prefix, LeaseQuery? query = null) =>
            [
                .. (await Store.Leases.ListAsync((query ?? new()) with { IdPrefix = prefix }, default)).Leases.Select(
                    lease => lease.Id
                ),
            ];

        foreach (
            var query in new LeaseQuery[]
            {
                new(),
                new() { States = LeaseStates.NotOver },
            }
        )
        {
            Assert.Equal([leases[1]], await FindAsync(leases[1][..12], query));
            Assert.Equal([leases[1]], await FindAsync(leases[1], query));
            Assert.Equal([leases[2], leases[1], leases[0]], await FindAsync(leases[0][..1], query));
            Assert.Equal([leases[1], leases[0]], await FindAsync(leases[0][..1], query with { After = leases[2] }));
            Assert.Empty(await FindAsync("ffff", query));
        }

        LeaseQuery reached = new() { RevocationId = "order-1" };
        Assert.Equal([leases[1]], await FindAsync(leases[1][..12], reached));
        Assert.Equal([leases[1], leases[0]], await FindAsync(leases[0][..1], reached));
        Assert.Empty(await FindAsync(leases[2][..12], reached));
    }

    [Fact]
    public async Task What_is_not_worked_on_now_takes_no_place_of_what_is()
    {
        var leases = new List<string>();
        for (var i = 0; i < 1_003; i++)
        {
            leases.Add((await ActiveLeaseAsync()).Id);
            await CommitAsync(Samples.Claimed(leases[i], by: null));
        }

        var last = leases.TakeLast(3).ToHashSet(StringComparer.Ordinal);
        var work = Assert.Single(await Store.Leases.FindRevocationWorkAsync(Now, default));
        var found = await Store.Leases.FindRevocationsAsync(work, Now, 2, true, last.Contains, default);
        Assert.Equal(2, found.Leases.Count);
        Assert.All(found.Leases, lease => Assert.Contains(lease.Id, last));
    }

    [Fact]
    public async Task Of_what_was_never_tried_the_lease_that_was_opened_first_comes_first()
    {
        var leases = new List<string>();
        for (var i = 0; i < 12; i++)
        {
            leases.Add((await ActiveLeaseAsync()).Id);
        }

        // Marked last first, and what was marked once is written once more.
        foreach (var lease in Enumerable.Reverse(leases).Concat(leases.Take(3)))
        {
            await CommitAsync(Samples.Claimed(lease, by: null));
        }

        Assert.Equal(leases, await RevocationsAsync());
        Assert.Equal(leases.Take(4), await RevocationsAsync(limit: 4));
    }

    [Fact]
    public async Task What_awaits_its_proof_is_found_only_where_it_is_looked_for()
    {
        var (awaiting, other) = (await PendingLeaseAsync(), await ActiveLeaseAsync());
        await CommitAsync(Samples.Claimed(awaiting.Id, by: "worker-1"));
        await CommitAsync(Samples.AccessorRevoked(awaiting.Id));
        await CommitAsync(Samples.Claimed(other.Id, by: null));
        Time.Advance(TimeSpan.FromMinutes(10));

        Assert.Equal([other.Id, awaiting.Id], await RevocationsAsync());
        Assert.Equal([other.Id], await RevocationsAsync(withProofs: false));
    }

    private async Task<string[]> ListAsync(LeaseQuery query) =>
        [.. (await Store.Leases.ListAsync(query, default)).Leases.Select(lease => lease.Id)];

    /// <summary>The leases whose revocation is due, lane by lane.</summary>
    protected async Task<string[]> RevocationsAsync(int limit = 100, bool withProofs = true)
    {
        var due = new List<string>();
        foreach (var work in await Store.Leases.FindRevocationWorkAsync(Now, default))
        {
            var leases = (
                await Store.Leases.FindRevocationsAsync(work, Now, limit, withProofs, _ => true, default)
            ).Leases;
            Assert.All(leases, lease => Assert.Equal(work, new(lease.Grant.Entry.Backend, lease.Lane)));
            due.AddRange(leases.Select(lease => lease.Id));
        }

        return [.. due];
    }

    private async Task<string[]> WorkAsync(LeaseWork work, DateTimeOffset? dueBefore = null, int limit = 100) =>
        [
            .. (await Store.Leases.FindWorkAsync(work, dueBefore ?? Now, limit, _ => true, default)).Leases.Select(
                lease => lease.Id
            ),
        ];

    [Fact]
    public async Task Policy_versions_are_listed_newest_first_and_each_is_found()
    {
        foreach (var version in Enumerable.Range(0, 5))
        {
            await CommitAsync(StoreSamples.Policy(version, $"hash-{version + 1}"));
            Time.Advance(TimeSpan.FromSeconds(1));
        }

        var all = await Store.Policies.ListAsync(long.MaxValue, 10, default);
        Assert.Equal([5L, 4, 3, 2, 1], all.Select(version => version.Version));
        Assert.Equal(("hash-5", Now.AddSeconds(-1)), (all[0].Hash, all[0].AppliedAt));
        Assert.Equal([3L, 2], (await Store.Policies.ListAsync(4, 2, default)).Select(version => version.Version));
        Assert.Equal("# hash-2", (await Store.Policies.FindAsync(2, default))!.Document.Text);
        Assert.Null(await Store.Policies.FindAsync(6, default));
    }
}
