using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>Who may answer a challenge, how many have to, and to what exactly.</summary>
public sealed class ApprovalAnswerTests : ApprovalTestBase
{
    [Fact]
    public async Task A_denial_tells_the_agent_why()
    {
        var asked = await AskAsync();
        var said = await _broker.People.DenyAsync(Ann, asked.Id, "not on a Friday", BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out _));
        var status = await StatusAsync(asked);
        Assert.Equal((ApprovalState.Denied, "not on a Friday"), (status.State, status.Approval.Reason));
        var refusal = await RedeemRefusedAsync(asked);
        Assert.Equal(RefusalCode.ApprovalDenied, refusal.Code);
        Assert.Contains("not on a Friday", refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(RefusalCode.ApprovalOver, (await AgreeRefusedAsync(Bob, asked)).Code);
    }

    [Fact]
    public async Task Two_have_to_agree_where_the_rule_says_two_and_one_person_is_one()
    {
        await ChallengeAsync(TwoLeads);
        var asked = await AskAsync();
        Assert.Equal(ApprovalState.Pending, (await AgreeAsync(Ann, asked)).State);
        Assert.Equal(ApprovalState.Pending, (await AgreeAsync(Ann, asked)).State);
        // Another token of the same person.
        Assert.Equal(ApprovalState.Pending, (await AgreeAsync(Ann with { ProofHash = "other" }, asked)).State);
        Assert.Equal(RefusalCode.ApprovalPending, (await RedeemRefusedAsync(asked)).Code);
        Assert.Equal(ApprovalState.Approved, (await AgreeAsync(Bob, asked)).State);
        await RedeemAsync(asked);
    }

    [Fact]
    public async Task Two_who_agree_at_once_make_a_quorum()
    {
        await ChallengeAsync(TwoLeads);
        for (var round = 0; round < 10; round++)
        {
            var command = BrokerHarness.Command(task: $"t-{round}");
            var asked = await AskAsync(command);
            await Task.WhenAll(Task.Run(() => AgreeAsync(Ann, asked)), Task.Run(() => AgreeAsync(Bob, asked)));
            Assert.Equal(ApprovalState.Approved, (await FindAsync(asked.Id)).State);
            await RedeemAsync(asked, command);
        }
    }

    [Fact]
    public async Task Who_is_not_named_sees_nothing()
    {
        var asked = await AskAsync();
        foreach (
            var other in (Person[])
                [Human("eve", "interns"), Human("eve") with { Roles = new HashSet<PersonRole> { PersonRole.Admin } }]
        )
        {
            Assert.Empty(await _broker.People.ListAsync(other, default));
            Assert.Equal(RefusalCode.ApprovalNotFound, (await AgreeRefusedAsync(other, asked)).Code);
        }

        Assert.Equal([asked.Id], (await _broker.People.ListAsync(Ann, default)).Select(open => open.Id));
    }

    [Fact]
    public async Task Nobody_approves_what_they_asked_for_whatever_token_they_come_by()
    {
        var asked = await AskAsync();
        var identity = asked.Decision.Identity;
        var self = Human(identity.Subject, "leads") with { Issuer = identity.Issuer };
        Assert.Empty(await _broker.People.ListAsync(self, default));
        Assert.Equal(RefusalCode.SelfApproval, (await AgreeRefusedAsync(self, asked)).Code);
        // The same subject of another issuer is another person.
        Assert.Equal(
            ApprovalState.Approved,
            (await AgreeAsync(self with { Issuer = "https://people.example" }, asked)).State
        );
    }

    [Fact]
    public async Task The_owner_does_not_approve_where_the_rule_says_so()
    {
        await ChallengeAsync("""{ approvers: ["group:leads"], expiresAfter: 30m, notOwner: true }""");
        var asked = await AskAsync();
        Assert.Equal(RefusalCode.SelfApproval, (await AgreeRefusedAsync(Human("owner-1", "leads"), asked)).Code);
        await AgreeAsync(Ann, asked);
    }

    [Fact]
    public async Task Another_digest_is_not_agreed_to()
    {
        var asked = await AskAsync();
        Assert.Equal(
            RefusalCode.DigestDiffers,
            (await AgreeRefusedAsync(Ann, asked with { Digest = new('0', 64) })).Code
        );
        Assert.Equal(ApprovalState.Pending, (await FindAsync(asked.Id)).State);
    }

    [Fact]
    public async Task A_changed_entry_is_not_what_was_approved()
    {
        var asked = await AskAsync();
        await AgreeAsync(Ann, asked);
        await _broker.ApplyAsync(
            Challenging(OneLead).Replace("cb-test-billing", "cb-test-other", StringComparison.Ordinal)
        );
        Assert.Equal(RefusalCode.ApprovalMismatch, (await RedeemRefusedAsync(asked)).Code);
        await _broker.ApprovalSweep.RunAsync(default);
        var voided = await FindAsync(asked.Id);
        Assert.Equal((ApprovalState.Voided, "policy-change"), (voided.State, voided.Reason));
        Assert.Equal(RefusalCode.ApprovalVoided, (await RedeemRefusedAsync(asked)).Code);
        Assert.Single(await _broker.EventsAsync(ApprovalVoided.TypeName));
    }
}
