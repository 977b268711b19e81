using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    [Fact]
    public async Task A_group_is_agreed_to_as_a_whole_or_not_at_all()
    {
        var (one, two, late) = (await AskedAsync(), await AskedAsync(Digest("2")), await AskedAsync(Digest("3")));
        await CommitAsync(StoreSamples.Refused(late.Id));
        var before = Store.Position;
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.WrongState, null, 2),
            await Store.CommitAsync(GroupOf("owner-1", 0, true, one, two, late), default)
        );

        Assert.Equal((before.Approvals, before.AuditHead), (Store.Position.Approvals, Store.Position.AuditHead));
        foreach (var asked in (Approval[])[one, two])
        {
            Assert.Equal(ApprovalState.Pending, (await ApprovalAsync(asked.Id)).State);
            Assert.Empty((await ApprovalAsync(asked.Id)).Agreements);
        }

        await CommitAsync(GroupOf("owner-1", 0, true, one, two));
        Assert.Equal(ApprovalState.Approved, (await ApprovalAsync(one.Id)).State);
        Assert.Equal(ApprovalState.Approved, (await ApprovalAsync(two.Id)).State);
    }

    [Fact]
    public async Task A_group_of_which_one_is_over_or_ordered_away_or_held_is_refused_and_says_which()
    {
        var other = await AskedAsync(Samples.Asked(Samples.Decision(instance: "i-2")));
        var one = await AskedAsync();
        await CommitAsync(Samples.Ordered(new() { Instance = "i-2" }));
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.Revoked, null, 1),
            await Store.CommitAsync(GroupOf("owner-1", 0, true, one, other), default)
        );
        var held = await AskedAsync(Samples.Asked(Samples.Decision(instance: "i-3"), fence: 1));
        await CommitAsync(Samples.Held(new() { Instance = "i-3" }));
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.Held, null, 0),
            await Store.CommitAsync(GroupOf("owner-1", 0, true, held, one), default)
        );
        Time.Advance(TimeSpan.FromMinutes(30));
        var late = await AskedAsync(Digest("2", fence: 1));
        Assert.Equal(
            new CommitOutcome.GuardFailed(GuardFailure.DeadlinePassed, null, 1),
            await Store.CommitAsync(GroupOf("owner-1", 0, true, late, one), default)
        );
        Assert.Empty((await ApprovalAsync(late.Id)).Agreements);
    }

    [Fact]
    public async Task Of_two_who_agree_to_overlapping_groups_at_once_one_does()
    {
        for (var round = 0; round < 10; round++)
        {
            var asked = await AskedAsync(4, $"{round}", [StoreSamples.Demands[1]]);
            var outcomes = await Task.WhenAll(
                Store.CommitAsync(GroupOf("owner-1", 0, true, asked[..3]), default).AsTask(),
                Store.CommitAsync(GroupOf("owner-2", 0, true, asked[1..]), default).AsTask()
            );

            Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
            var first = outcomes[0] is CommitOutcome.Committed;
            foreach (var (approval, place) in asked.Select((approval, place) => (approval, place)))
            {
                // None has the word of who came second, not even what they alone named.
                var isAgreed = first ? place < 3 : place > 0;
                Assert.Equal(
                    isAgreed ? [first ? "owner-1" : "owner-2"] : [],
                    (await ApprovalAsync(approval.Id)).Agreements.Select(agreement => agreement.Subject)
                );
                await CommitAsync(StoreSamples.Refused(approval.Id));
            }
        }
    }

    [Fact]
    public async Task Two_who_have_to_agree_to_overlapping_groups_do_so_one_after_the_other()
    {
        for (var round = 0; round < 10; round++)
        {
            var asked = await AskedAsync(3, $"{round}", [StoreSamples.Demands[0]]);
            var outcomes = await Task.WhenAll(
                Store.CommitAsync(GroupOf("lead-1", 0, false, asked[..2]), default).AsTask(),
                Store.CommitAsync(GroupOf("lead-2", 0, false, asked[1..]), default).AsTask()
            );

            Assert.Single(outcomes.OfType<CommitOutcome.Committed>());
            var first = outcomes[0] is CommitOutcome.Committed;
            // Who came second looks again: of what both named, it is the last word.
            var rest = first ? asked[1..] : asked[..2];
            var again = new StateChange.All([
                .. rest.Select(approval =>
                    Samples.Agreed(
                        approval.Id,
                        first ? "lead-2" : "lead-1",
                        approval == asked[1] ? 1 : 0,
                        approval == asked[1],
                        approval.Digest
                    )
                ),
            ]);
            await CommitAsync(again);
            Assert.Equal(
                [ApprovalState.Pending, ApprovalState.Approved, ApprovalState.Pending],
                [
                    (await ApprovalAsync(asked[0].Id)).State,
                    (await ApprovalAsync(asked[1].Id)).State,
                    (await ApprovalAsync(asked[2].Id)).State,
                ]
            );
            foreach (var approval in asked)
            {
                await CommitAsync(StoreSamples.Refused(approval.Id));
            }
        }
    }

    [Theory]
    [InlineData(2, 20, 16)]
    [InlineData(5, 20, 10)]
    [InlineData(50, 26.5, 2)]
    public async Task A_group_is_one_word_and_took_what_reading_so_much_leaves_for_one(
        int questions,
        double seconds,
        double took
    )
    {
        var asked = new List<Approval>();
        for (var number = 0; number < questions; number++)
        {
            // As many as one caller may have are fewer than a group may have.
            asked.Add(await AskedAsync(Samples.Asked(Samples.Decision(instance: $"i-{number}"))));
        }

        Time.Advance(TimeSpan.FromSeconds(seconds));
        await CommitAsync(
            new StateChange.All([
                .. asked.Select(
                    (approval, place) => Denied(approval.Id) with { WordAbout = place == questions - 1 ? questions : 0 }
                ),
            ])
        );

        Assert.Equal(new ApproverPace(1, TimeSpan.FromSeconds(took)), await PaceAsync());
    }

    [Fact]
    public async Task Groups_that_are_decided_faster_than_one_can_read_are_a_hurry()
    {
        for (var round = 0; round < ApproverPace.Enough; round++)
        {
            var asked = await AskedAsync(9, $"{round}", [StoreSamples.Demands[1]]);
            // More than the three seconds that one needs, and less than nine need.
            Time.Advance(TimeSpan.FromSeconds(8));
            await CommitAsync(
                new StateChange.All([
                    .. asked.Select((approval, place) => Denied(approval.Id) with { WordAbout = place == 8 ? 9 : 0 }),
                ])
            );
        }

        Assert.True((await PaceAsync()).IsHurried);
        Assert.Equal(1, await HurriedAsync());
    }

    private StateChange.ApprovalRequested Digest(string digest, long fence = 0) =>
        Samples.Asked(digest: $"digest-{digest}", fence: fence);

    private async Task<Approval[]> AskedAsync(int questions, string digest, IReadOnlyList<ApprovalDemand> demands)
    {
        var asked = new List<Approval>();
        for (var number = 0; number < questions; number++)
        {
            asked.Add(await AskedAsync(Samples.Asked(demands: demands, digest: $"digest-{digest}-{number}")));
        }

        return [.. asked];
    }

    private StateChange.All GroupOf(string person, int expected, bool completes, params Approval[] asked) =>
        new([.. asked.Select(approval => Samples.Agreed(approval.Id, person, expected, completes, approval.Digest))]);
}
