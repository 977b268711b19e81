using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Approvals;

/// <summary>A broker that asks people and lets them give time boxes: as agents ask and people agree.</summary>
internal sealed class TimeBoxDesk(BrokerHarness broker) : IAsyncDisposable
{
    public const string OneLead = """{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 1h }""";

    public static readonly Person Ann = Human("ann", PersonRole.Approver, "leads");
    public static readonly Person Bob = Human("bob", PersonRole.Approver, "leads");
    public static readonly Person Eve = Human("eve", PersonRole.Approver, "others");
    public static readonly Person Ada = Human("ada", PersonRole.Admin);
    public static readonly TimeSpan HalfAnHour = TimeSpan.FromMinutes(30);

    public BrokerHarness Broker => broker;

    public static async Task<TimeBoxDesk> StartAsync(string approval = OneLead)
    {
        var desk = new TimeBoxDesk(await BrokerHarness.StartAsync());
        await desk.ApplyAsync(approval);
        return desk;
    }

    /// <summary>The harness's policy, whose rule asks people; <c>billing</c> offers three actions.</summary>
    public static string Policy(string approval = OneLead, string comment = "") =>
        HarnessPolicy
            .Text(comment: comment)
            .Replace("effect: allow", $"effect: challenge\n    approval: {approval}", StringComparison.Ordinal)
            .Replace(
                "actions: [read]\n    maxTtl: 15m",
                "actions: [read, summarise, count]\n    maxTtl: 15m",
                StringComparison.Ordinal
            );

    public Task ApplyAsync(string approval) => broker.ApplyAsync(Policy(approval));

    /// <summary>What is asked for here: two actions, for five minutes.</summary>
    public static ExchangeCommand Command(string workload = "triage", string instance = "1", string task = "t-1")
    {
        var command = BrokerHarness.Command(workload, instance, task: task, ttl: TimeSpan.FromMinutes(5));
        return command with { Request = command.Request with { Actions = ["read", "summarise"] } };
    }

    public async Task<Approval> AskAsync(ExchangeCommand? command = null) =>
        Assert.IsType<ExchangeOutcome.Challenged>(await broker.ExchangeAsync(command ?? Command())).Approval;

    public ValueTask<Checked<Approval>> SayAsync(Person person, Approval asked, TimeSpan? timeBox) =>
        broker.People.AgreeAsync(person, asked.Id, asked.Digest, timeBox, BrokerHarness.Call, default);

    public async Task<Approval> AgreeAsync(Person person, Approval asked, TimeSpan? timeBox)
    {
        Assert.True(
            (await SayAsync(person, asked, timeBox)).Passes(out var approval, out var refusal),
            refusal?.Detail
        );
        return approval;
    }

    /// <summary>Asked, agreed to with a time box, and redeemed: the approval and its own lease.</summary>
    public async Task<(Approval Approval, Lease Lease)> OpenAsync(
        TimeSpan? timeBox = null,
        ExchangeCommand? command = null,
        ExchangeCommand? redeemer = null
    )
    {
        var asked = await AskAsync(command);
        await AgreeAsync(Ann, asked, timeBox ?? HalfAnHour);
        var lease = await broker.IssueAsync((redeemer ?? command ?? Command()) with { ApprovalId = asked.Id });
        return (asked, lease);
    }

    public async Task<TimeBox> FindAsync(Approval approval) =>
        Assert.IsType<TimeBox>(await broker.Store.TimeBoxes.FindAsync(approval.Id, default));

    public ValueTask DisposeAsync() => broker.DisposeAsync();

    private static Person Human(string subject, PersonRole role, params string[] groups) =>
        new()
        {
            Issuer = "https://people.example",
            Subject = subject,
            Roles = new HashSet<PersonRole> { role },
            Groups = groups,
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };
}
