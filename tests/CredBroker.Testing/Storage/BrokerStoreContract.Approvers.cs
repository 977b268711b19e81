using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Testing.Storage;

public abstract partial class BrokerStoreContract
{
    private const string Lead = "https://idp.example";

    [Fact]
    public async Task Who_decides_faster_than_one_can_read_is_told_of_from_the_fifth_word_on()
    {
        for (var number = 0; number < 4; number++)
        {
            await SayAsync($"digest-{number}", TimeSpan.FromSeconds(2));
        }

        Assert.Equal(new ApproverPace(4, TimeSpan.FromSeconds(2)), await PaceAsync());
        Assert.False((await PaceAsync()).IsHurried);
        Assert.Equal(0, await HurriedAsync());

        await SayAsync("digest-5", TimeSpan.FromSeconds(2));
        Assert.True((await PaceAsync()).IsHurried);
        Assert.Equal(1, await HurriedAsync());
        Reopen();
        Assert.Equal(new ApproverPace(5, TimeSpan.FromSeconds(2)), await PaceAsync());
        Assert.Equal(new ApproverPace(0, null), await PaceAsync("another"));
    }

    [Fact]
    public async Task Who_takes_their_time_is_not_told_of_though_it_was_asked_all_at_once()
    {
        var asked = new List<Approval>();
        for (var number = 0; number < 6; number++)
        {
            asked.Add(await AskedAsync(Samples.Asked(digest: $"digest-{number}")));
        }

        foreach (var (approval, number) in asked.Select((approval, number) => (approval, number)))
        {
            Time.Advance(TimeSpan.FromSeconds(4));
            await CommitAsync(Denied(approval.Id));
            Assert.Equal(new ApproverPace(number + 1, TimeSpan.FromSeconds(4)), await PaceAsync());
        }

        Assert.Equal(0, await HurriedAsync());
    }

    [Fact]
    public async Task Questions_that_waited_long_and_are_decided_in_a_row_are_decided_in_a_hurry()
    {
        var asked = new List<Approval>();
        for (var number = 0; number < 6; number++)
        {
            asked.Add(await AskedAsync(Samples.Asked(digest: $"digest-{number}")));
        }

        Time.Advance(TimeSpan.FromMinutes(10));
        foreach (var approval in asked)
        {
            await CommitAsync(Denied(approval.Id));
            Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(new ApproverPace(6, TimeSpan.FromSeconds(1)), await PaceAsync());
        Assert.Equal(2, await HurriedAsync());
    }

    [Fact]
    public async Task A_word_that_was_not_taken_counts_for_nobody()
    {
        var asked = await AskedAsync();
        await CommitAsync(Denied(asked.Id));
        await AssertGuardAsync(GuardFailure.WrongState, Denied(asked.Id));
        await AssertGuardAsync(GuardFailure.WrongState, Samples.Agreed(asked.Id, "lead-1"));
        Assert.Equal(1, (await PaceAsync()).Decisions);
        Assert.Equal(0, (await PaceAsync("lead-1")).Decisions);
    }

    [Fact]
    public async Task Only_the_last_words_count_and_old_ones_are_forgotten()
    {
        for (var number = 0; number < ApproverPace.Last + 5; number++)
        {
            await SayAsync($"digest-{number}", TimeSpan.FromSeconds(number < 10 ? 1 : 60));
        }

        Assert.Equal(new ApproverPace(ApproverPace.Last, TimeSpan.FromSeconds(60)), await PaceAsync());
        Time.Advance(TimeSpan.FromDays(1));
        await CommitAsync(
            new StateChange.ApprovalsDropped
            {
                ClosedBefore = Now,
                Limit = 100,
                Event = null,
            }
        );
        Assert.Equal(new ApproverPace(0, null), await PaceAsync());
    }

    [Fact]
    public async Task What_an_instance_had_in_the_last_hour_is_counted_by_credential()
    {
        var mine = Samples.Decision();
        await PendingLeaseAsync(mine);
        await PendingLeaseAsync(Samples.Decision(credential: "other"));
        await PendingLeaseAsync(Samples.Decision(instance: "i-2"));
        await CommitAsync(Refused(mine));
        await CommitAsync(Refused(mine));
        await CommitAsync(Refused(mine with { Verdict = mine.Verdict with { Effect = PolicyEffect.Challenge } }));
        await CommitAsync(Refused(Unknown("what-is-this")));
        await CommitAsync(Refused(Unknown("and-this")));
        await CommitAsync(Refused(Unknown("made-up-1", RefusalCode.ProcessUnknown)));
        await CommitAsync(Refused(Unknown("made-up-2", RefusalCode.ProcessNotAdmitted)));
        await CommitAsync(Refused(Unknown("made-up-3", RefusalCode.AgentAmbiguous)));
        await CommitAsync(Refused(Unknown("made-up-4", RefusalCode.RuleFailed, agent: "")));
        await CommitAsync(Refused(Unknown("other", RefusalCode.NoRuleAllows)));
        Reopen();

        var (since, activity) = await Store.Approvals.ListActivityAsync(mine.Identity, default);
        Assert.InRange(Now - since, TimeSpan.FromHours(1), TimeSpan.FromMinutes(65));
        Assert.Equal([new("", 0, 6, 0), new("billing", 1, 2, 1), new("other", 1, 1, 0)], activity);
        await AssertGuardAsync(
            GuardFailure.PolicyChanged,
            Samples.Opened(Samples.Lease(Samples.Decision(policyVersion: 7)), 0)
        );
        Assert.Equal(activity, (await Store.Approvals.ListActivityAsync(mine.Identity, default)).Activity);

        Time.Advance(TimeSpan.FromMinutes(66));
        Assert.Empty((await Store.Approvals.ListActivityAsync(mine.Identity, default)).Activity);

        DecisionRecord Unknown(
            string credential,
            RefusalCode code = RefusalCode.CredentialUnknown,
            string agent = "triage"
        )
        {
            var decision = Samples.Decision(credential: credential);
            return decision with
            {
                Verdict = decision.Verdict with
                {
                    Effect = PolicyEffect.Deny,
                    Agent = agent,
                    Grant = null,
                    Refusal = new(code, "unknown"),
                },
            };
        }
    }

    [Fact]
    public async Task What_is_counted_is_added_up_by_and_by_and_counted_once()
    {
        var (mine, other) = (Samples.Decision(), Samples.Decision(instance: "i-2"));
        for (var round = 1; round <= 5; round++)
        {
            await CommitAsync(new StateChange.All([.. Enumerable.Repeat(Refused(mine), 250)]));
            await CommitAsync(Refused(other));
            await CommitAsync(Refused(mine with { Verdict = mine.Verdict with { Effect = PolicyEffect.Challenge } }));
            Assert.Equal([new("billing", 0, 250 * round, round)], await ActivityAsync(mine));
            Assert.Equal([new("billing", 0, round, 0)], await ActivityAsync(other));
        }

        Reopen();
        await CommitAsync(Refused(mine));
        Assert.Equal([new("billing", 0, 1251, 5)], await ActivityAsync(mine));

        async Task<IReadOnlyList<AgentActivity>> ActivityAsync(DecisionRecord decision) =>
            (await Store.Approvals.ListActivityAsync(decision.Identity, default)).Activity;
    }

    [Fact]
    public async Task What_was_counted_long_ago_is_forgotten()
    {
        var decision = Samples.Decision();
        await CommitAsync(Refused(decision));
        Time.Advance(TimeSpan.FromMinutes(10));
        await DropActivityAsync(Now.AddMinutes(-30));
        Assert.Single((await Store.Approvals.ListActivityAsync(decision.Identity, default)).Activity);
        await DropActivityAsync(Now);
        Assert.Empty((await Store.Approvals.ListActivityAsync(decision.Identity, default)).Activity);

        async Task DropActivityAsync(DateTimeOffset before) =>
            await CommitAsync(
                new StateChange.ActivityDropped
                {
                    Before = before,
                    Limit = 10,
                    Event = null,
                }
            );
    }

    private static StateChange.RequestDenied Refused(DecisionRecord decision) =>
        new()
        {
            Decision =
                decision.Verdict.Effect == PolicyEffect.Challenge
                    ? decision
                    : decision with
                    {
                        Verdict = decision.Verdict with { Effect = PolicyEffect.Deny },
                    },
            Event = StoreSamples.Event("request.denied"),
        };

    private static StateChange.ApprovalDenied Denied(string approvalId, string person = "lead-7") =>
        StoreSamples.Refused(approvalId) with
        {
            Event = new()
            {
                What = new ApprovalDenied { ApprovalId = approvalId, Reason = "no" },
                Actor = AuditActor.Person(Lead, person),
            },
        };

    private async Task SayAsync(string digest, TimeSpan after)
    {
        var asked = await AskedAsync(Samples.Asked(digest: digest));
        Time.Advance(after);
        await CommitAsync(Denied(asked.Id));
    }

    private ValueTask<ApproverPace> PaceAsync(string person = "lead-7") =>
        Store.Approvals.FindPaceAsync(Lead, person, default);

    private async Task<int> HurriedAsync() =>
        (await ReadLogAsync()).Count(record =>
            AuditRecordHeader.Read(record.Bytes.Span)?.Type == ApproverHurried.TypeName
        );
}
