using CredBroker.Core.Approvals;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>Several questions that are decided at once: all or none, and only those that one card can show.</summary>
public sealed class GroupDecisionTests : IAsyncLifetime
{
    private const string OneLead = """{ approvers: ["group:leads"], expiresAfter: 30m }""";
    private const string TwoLeads = """{ approvers: ["group:leads"], quorum: 2, expiresAfter: 30m }""";
    private static readonly Person Ann = Human("ann");
    private static readonly Person Bob = Human("bob");
    private BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await ChallengeAsync();
    }

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Fact]
    public async Task What_asks_the_same_of_the_same_is_one_group_and_what_differs_is_not()
    {
        var one = await AskAsync();
        _broker.Time.Advance(TimeSpan.FromSeconds(1));
        var two = await AskAsync("t-2", instance: "2");
        var other = await AskAsync("t-3", credential: "api-key");
        var asked = await _broker.People.ListAsync(Ann, default);

        var (groups, alone) = ApprovalGroup.Of(asked);

        var group = Assert.Single(groups);
        Assert.Equal([one.Id, two.Id], group.Requests.Select(request => request.Id));
        Assert.Equal([other.Id], alone.Select(request => request.Id));
        // Its name stays, its digest does not, when another comes.
        await AskAsync("t-4");
        var (more, _) = ApprovalGroup.Of(await _broker.People.ListAsync(Ann, default));
        Assert.Equal(group.Id, more[0].Id);
        Assert.NotEqual(group.Digest, more[0].Digest);
    }

    [Fact]
    public async Task More_than_so_many_are_several_groups()
    {
        var asked = await AskAsync();
        var (groups, alone) = ApprovalGroup.Of([
            .. Enumerable.Range(0, 101).Select(number => asked with { Id = $"{number:x32}" }),
        ]);
        Assert.Equal([50, 50], groups.Select(group => group.Requests.Count));
        Assert.Equal(2, groups.Select(group => group.Id).Distinct().Count());
        Assert.Single(alone);
    }

    [Fact]
    public async Task All_are_approved_at_once_and_each_is_on_record_with_the_group()
    {
        var asked = await AskAsync(3);
        var group = Passed(await AgreeAsync(Ann, asked));

        Assert.All(group.Requests, approval => Assert.Equal(ApprovalState.Approved, approval.State));
        var events = await _broker.EventsAsync(ApprovalAgreed.TypeName);
        Assert.Equal(
            asked.Select(approval => (approval.Id, group.Digest, 3)),
            events.Select(agreed =>
            {
                var details = agreed.GetProperty("details");
                var mark = details.GetProperty("group");
                return (
                    details.GetProperty("approval").GetString()!,
                    mark.GetProperty("digest").GetString()!,
                    mark.GetProperty("requests").GetInt32()
                );
            })
        );
        Assert.Equal(1, (await _broker.Store.Approvals.FindPaceAsync(Ann.Issuer, Ann.Subject, default)).Decisions);
        // Sent once more, as where the answer was lost: nothing is said twice.
        Passed(await AgreeAsync(Ann, asked));
        Assert.Equal(3, (await _broker.EventsAsync(ApprovalAgreed.TypeName)).Count);
        await _broker.IssueAsync(BrokerHarness.Command(task: "t-2") with { ApprovalId = asked[1].Id });
    }

    [Fact]
    public async Task All_are_denied_at_once()
    {
        var asked = await AskAsync(2);
        Passed(await DenyAsync(Ann, asked));
        Assert.Equal([ApprovalState.Denied, ApprovalState.Denied], await StatesAsync(asked));
        Assert.Equal(2, (await _broker.EventsAsync(ApprovalDenied.TypeName)).Count);
        Assert.Equal(1, (await _broker.Store.Approvals.FindPaceAsync(Ann.Issuer, Ann.Subject, default)).Decisions);
        await AssertRefusedAsync(RefusalCode.ApprovalOver, asked[0], () => DenyAsync(Ann, asked), asked);
    }

    [Fact]
    public async Task Where_two_have_to_agree_each_does_to_the_group_of_their_own()
    {
        await ChallengeAsync(TwoLeads);
        var asked = await AskAsync(3);
        Passed(await AgreeAsync(Ann, asked[..2]));
        Passed(await AgreeAsync(Bob, asked));
        Assert.Equal([ApprovalState.Approved, ApprovalState.Approved, ApprovalState.Pending], await StatesAsync(asked));
        // What waits for others is in no group of those who have agreed.
        var (groups, alone) = GroupDecisions.Group(await _broker.People.ListAsync(Bob, default), Bob);
        Assert.Empty(groups!);
        Assert.Equal([asked[2].Id], alone.Select(approval => approval.Id));
    }

    [Fact]
    public async Task Two_who_decide_overlapping_groups_at_once_never_share_one()
    {
        for (var round = 0; round < 5; round++)
        {
            var asked = await AskAsync(3, $"r{round}");
            var said = await Task.WhenAll(
                Task.Run(() => AgreeAsync(Ann, asked[..2])),
                Task.Run(() => AgreeAsync(Bob, asked[1..]))
            );
            Assert.Single(said, answer => answer.Passes(out _, out _));
            Assert.Equal(2, (await StatesAsync(asked)).Count(state => state == ApprovalState.Approved));
            Assert.Single((await FindAsync(asked[1])).Agreements);
        }
    }

    [Fact]
    public async Task Two_who_both_have_to_agree_decide_overlapping_groups_at_once()
    {
        await ChallengeAsync(TwoLeads);
        for (var round = 0; round < 5; round++)
        {
            var asked = await AskAsync(3, $"r{round}");
            var said = await Task.WhenAll(
                Task.Run(() => AgreeAsync(Ann, asked[..2])),
                Task.Run(() => AgreeAsync(Bob, asked[1..]))
            );
            Assert.All(said, answer => Passed(answer));
            Assert.Equal(
                [ApprovalState.Pending, ApprovalState.Approved, ApprovalState.Pending],
                await StatesAsync(asked)
            );
        }
    }

    [Fact]
    public async Task One_that_was_seen_otherwise_refuses_the_whole()
    {
        var asked = await AskAsync(3);
        asked[1] = asked[1] with { Digest = asked[0].Digest };
        await AssertRefusedAsync(RefusalCode.DigestDiffers, asked[1], () => AgreeAsync(Ann, asked), asked);
        await AssertRefusedAsync(RefusalCode.DigestDiffers, asked[1], () => DenyAsync(Ann, asked), asked);
    }

    [Fact]
    public async Task One_that_ended_between_the_look_and_the_word_refuses_the_whole()
    {
        // Asked first, so that it ends first.
        var early = await AskAsync("t-9");
        _broker.Time.Advance(TimeSpan.FromMinutes(1));
        var asked = await AskAsync(3);
        _broker.Time.Advance(TimeSpan.FromMinutes(29));
        await AssertRefusedAsync(RefusalCode.ApprovalOver, early, () => AgreeAsync(Ann, [.. asked, early]), asked);
        await AssertRefusedAsync(RefusalCode.ApprovalOver, early, () => DenyAsync(Ann, [.. asked, early]), asked);

        // Taken back by the one that asked, or by an order.
        await _broker.Revocations.OrderAsync(
            new() { Task = asked[2].Decision.Task.Id },
            "",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        await AssertRefusedAsync(RefusalCode.RevokedMeanwhile, asked[2], () => AgreeAsync(Ann, asked), asked);
        await _broker.ApprovalSweep.RunAsync(default);
        await AssertRefusedAsync(RefusalCode.ApprovalOver, asked[2], () => AgreeAsync(Ann, asked), asked[..2]);

        // Denied by another.
        await _broker.People.DenyAsync(Bob, asked[0].Id, "no", BrokerHarness.Call, default);
        await AssertRefusedAsync(RefusalCode.ApprovalOver, asked[0], () => AgreeAsync(Ann, asked[..2]), [asked[1]]);
        Passed(await AgreeAsync(Ann, [asked[1]]));
    }

    [Fact]
    public async Task One_about_something_else_cannot_be_smuggled_in()
    {
        var asked = await AskAsync(2);
        var other = await AskAsync("t-3", credential: "api-key");
        await AssertRefusedAsync(
            RefusalCode.NotOneGroup,
            other,
            () => AgreeAsync(Ann, [.. asked, other]),
            [.. asked, other]
        );
        await AssertRefusedAsync(
            RefusalCode.NotOneGroup,
            other,
            () => DenyAsync(Ann, [.. asked, other]),
            [.. asked, other]
        );
    }

    [Fact]
    public async Task One_that_the_person_may_not_decide_refuses_the_whole()
    {
        var asked = await AskAsync(2);
        var stranger = Human("eve") with { Groups = [] };
        await AssertRefusedAsync(RefusalCode.ApprovalNotFound, asked[0], () => AgreeAsync(stranger, asked), asked);
        var missing = asked[0] with { Id = Approval.NewId() };
        await AssertRefusedAsync(
            RefusalCode.ApprovalNotFound,
            missing,
            () => AgreeAsync(Ann, [.. asked, missing]),
            asked
        );
    }

    [Fact]
    public async Task Ones_own_among_them_refuses_the_whole()
    {
        var (mine, others) = (await AskAsync(), await AskAsync("t-2", workload: "helper"));
        var self = Ann with { Issuer = mine.Decision.Identity.Issuer, Subject = mine.Decision.Identity.Subject };
        Approval[] asked = [others, mine];
        await AssertRefusedAsync(RefusalCode.SelfApproval, mine, () => AgreeAsync(self, asked), asked);
        await AssertRefusedAsync(RefusalCode.SelfApproval, mine, () => DenyAsync(self, asked), asked);
    }

    [Fact]
    public async Task Who_is_gone_decides_no_group()
    {
        var asked = await AskAsync(2);
        await _broker.Owners.RetireAsync(
            Ann.Issuer,
            Ann.Subject,
            "left",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        Assert.Equal(RefusalCode.OwnerGone, Refused(await AgreeAsync(Ann, asked)).Code);
        Assert.Equal([ApprovalState.Pending, ApprovalState.Pending], await StatesAsync(asked));
    }

    /// <summary>By the effective value: the declared one says nothing of what a revocation reaches.</summary>
    [Theory]
    [InlineData(
        "billing",
        "role: cb-test-billing }\n    access: read\n    impact: low\n    reversible: true",
        "role: cb-test-billing }\n    access: read\n    impact: low\n    reversible: false"
    )]
    [InlineData(
        "billing",
        "role: cb-test-billing }\n    access: read\n    impact: low",
        "role: cb-test-billing }\n    access: read\n    impact: high"
    )]
    [InlineData("api-key", "    acceptsUnrevocable: [api-key]\n", "")]
    public async Task What_cannot_be_undone_or_costs_much_is_decided_alone_whatever_the_client_says(
        string credential,
        string old,
        string changed
    )
    {
        await ChallengeAsync(OneLead, (old, changed));
        Approval[] asked = [await AskAsync("t-1", credential), await AskAsync("t-2", credential)];

        var (groups, alone) = ApprovalGroup.Of(await _broker.People.ListAsync(Ann, default));
        Assert.Empty(groups);
        Assert.Equal(2, alone.Count);
        await AssertRefusedAsync(RefusalCode.DecidedAlone, asked[0], () => AgreeAsync(Ann, asked), asked);
        await AssertRefusedAsync(RefusalCode.DecidedAlone, asked[0], () => AgreeAsync(Ann, asked[..1]), asked);
        await AssertRefusedAsync(RefusalCode.DecidedAlone, asked[0], () => DenyAsync(Ann, asked), asked);
        var said = await _broker.People.AgreeAsync(Ann, asked[0].Id, asked[0].Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out _));
    }

    [Fact]
    public async Task None_more_than_so_many_and_none_twice_are_taken()
    {
        var asked = await AskAsync(2);
        Approval[][] wrong =
        [
            [],
            [asked[0], asked[1], asked[0]],
            [.. Enumerable.Repeat(asked[0], 50), asked[1]],
            [.. Enumerable.Range(0, 51).Select(number => asked[0] with { Id = $"{number:x32}" })],
            [asked[0], asked[1] with { Id = "not an id" }],
        ];
        foreach (var named in wrong)
        {
            Assert.Equal(RefusalCode.FieldInvalid, Refused(await AgreeAsync(Ann, named)).Code);
            Assert.Equal(RefusalCode.FieldInvalid, Refused(await DenyAsync(Ann, named)).Code);
        }

        Assert.Equal([ApprovalState.Pending, ApprovalState.Pending], await StatesAsync(asked));
    }

    [Fact]
    public async Task What_the_person_has_agreed_to_alone_is_not_agreed_to_again_with_others()
    {
        await ChallengeAsync(TwoLeads);
        var asked = await AskAsync(2);
        await _broker.People.AgreeAsync(Ann, asked[0].Id, asked[0].Digest, BrokerHarness.Call, default);
        await AssertRefusedAsync(RefusalCode.ApprovalOver, asked[0], () => AgreeAsync(Ann, asked), [asked[1]]);
    }

    /// <summary>The whole is refused for this one, which the detail names, and nothing has changed.</summary>
    private async Task AssertRefusedAsync(
        RefusalCode code,
        Approval because,
        Func<Task<Checked<ApprovalGroup>>> say,
        params Approval[] unchanged
    )
    {
        var (states, position) = (await StatesAsync(unchanged), _broker.Store.Position);
        var refusal = Refused(await say());
        Assert.Equal(code, refusal.Code);
        Assert.Contains(because.Id, refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(states, await StatesAsync(unchanged));
        Assert.Equal(
            (position.Approvals, position.AuditHead),
            (_broker.Store.Position.Approvals, _broker.Store.Position.AuditHead)
        );
    }

    private static ApprovalGroup Passed(Checked<ApprovalGroup> said)
    {
        Assert.True(said.Passes(out var group, out var refusal), refusal?.Detail);
        return group;
    }

    private static Refusal Refused(Checked<ApprovalGroup> said)
    {
        Assert.False(said.Passes(out _, out var refusal));
        return refusal;
    }

    private static Person Human(string subject) =>
        new()
        {
            Issuer = "https://people.example",
            Subject = subject,
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = ["leads"],
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };

    private async Task ChallengeAsync(string approval = OneLead, params (string Old, string New)[] edits)
    {
        var text = HarnessPolicy
            .Text("agent == \"triage\" || agent == \"helper\"")
            .Replace("effect: allow", $"effect: challenge\n    approval: {approval}", StringComparison.Ordinal);
        foreach (var (old, changed) in edits)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            text = text.Replace(old, changed, StringComparison.Ordinal);
        }

        await _broker.ApplyAsync(text);
    }

    private async Task<Approval[]> AskAsync(int number, string prefix = "t")
    {
        var asked = new List<Approval>();
        for (var task = 1; task <= number; task++)
        {
            asked.Add(await AskAsync($"{prefix}-{task}"));
            _broker.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        return [.. asked];
    }

    private async Task<Approval> AskAsync(
        string task = "t-1",
        string credential = "billing",
        string workload = "triage",
        string instance = "1"
    ) =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(
                await _broker.ExchangeAsync(BrokerHarness.Command(workload, instance, credential, task))
            )
            .Approval;

    private static ApprovalSeen[] Seen(IEnumerable<Approval> asked) =>
        [.. asked.Select(approval => new ApprovalSeen(approval.Id, approval.Digest))];

    private Task<Checked<ApprovalGroup>> AgreeAsync(Person person, Approval[] asked) =>
        _broker.Groups.AgreeAsync(person, Seen(asked), BrokerHarness.Call, default).AsTask();

    private Task<Checked<ApprovalGroup>> DenyAsync(Person person, Approval[] asked) =>
        _broker.Groups.DenyAsync(person, Seen(asked), "no", BrokerHarness.Call, default).AsTask();

    private async Task<Approval> FindAsync(Approval asked) =>
        Assert.IsType<Approval>(await _broker.Store.Approvals.FindAsync(asked.Id, default));

    private async Task<List<ApprovalState>> StatesAsync(IEnumerable<Approval> asked)
    {
        var states = new List<ApprovalState>();
        foreach (var approval in asked)
        {
            states.Add((await FindAsync(approval)).State);
        }

        return states;
    }
}
