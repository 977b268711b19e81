using CredBroker.Core.Approvals;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>A broker whose policy asks people, and what an agent and people say to it.</summary>
public abstract class ApprovalTestBase : IAsyncLifetime
{
    private protected const string TwoLeads = """{ approvers: ["group:leads"], quorum: 2, expiresAfter: 30m }""";
    private protected const string OneLead = """{ approvers: ["group:leads"], expiresAfter: 30m }""";
    private protected static readonly Person Ann = Human("ann", "leads");
    private protected static readonly Person Bob = Human("bob", "leads");
    private protected BrokerHarness _broker = null!;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerHarness.StartAsync();
        await ChallengeAsync(OneLead);
    }

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static Person Human(string subject, params string[] groups) =>
        new()
        {
            Issuer = "https://people.example",
            Subject = subject,
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = groups,
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };

    private protected static string Challenging(string approval) =>
        HarnessPolicy
            .Text()
            .Replace("effect: allow", $"effect: challenge\n    approval: {approval}", StringComparison.Ordinal);

    private protected Task ChallengeAsync(string approval) => _broker.ApplyAsync(Challenging(approval));

    private protected async Task<Approval> AskAsync(ExchangeCommand? command = null) =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(await _broker.ExchangeAsync(command ?? BrokerHarness.Command()))
            .Approval;

    private protected static ExchangeCommand Redemption(Approval asked, ExchangeCommand? command = null) =>
        (command ?? BrokerHarness.Command()) with
        {
            ApprovalId = asked.Id,
        };

    private protected Task<Lease> RedeemAsync(Approval asked, ExchangeCommand? command = null) =>
        _broker.IssueAsync(Redemption(asked, command));

    private protected Task<Refusal> RedeemRefusedAsync(Approval asked, ExchangeCommand? command = null) =>
        _broker.RefusedAsync(Redemption(asked, command));

    private protected async Task<Approval> AgreeAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out var approval, out var refusal), refusal?.Detail);
        return approval;
    }

    private protected async Task<Refusal> AgreeRefusedAsync(Person person, Approval asked)
    {
        var said = await _broker.People.AgreeAsync(person, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.False(said.Passes(out _, out var refusal));
        return refusal;
    }

    private protected async Task<Approval> FindAsync(string id) =>
        Assert.IsType<Approval>(await _broker.Store.Approvals.FindAsync(id, default));

    private protected async Task<ApprovalStatus> StatusAsync(Approval asked)
    {
        var proof = FakeWorkloadVerifier.Token(asked.Decision.Identity.Workload, asked.Decision.Identity.Instance);
        var found = await _broker.Approvals.FindAsync(proof, asked.Id, default, BrokerHarness.Call, default);
        Assert.True(found.Passes(out var status, out var refusal), refusal?.Detail);
        return status;
    }
}
