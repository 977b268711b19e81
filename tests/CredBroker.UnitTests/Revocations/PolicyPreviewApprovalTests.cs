using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Testing;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

/// <summary>The law of the preview, of questions to people: what it lists is what applying takes back.</summary>
public sealed class PolicyPreviewApprovalTests
{
    private const string Everybody = "agent == \"triage\" || agent == \"helper\"";

    private static readonly string[] Rules =
    [
        Everybody,
        "agent == \"triage\"",
        "credential.name == \"billing\"",
        "request.ttl <= duration(\"3m\")",
        "task.id == \"t-1\" || task.id == \"h-2\"",
        "identity.issuer == \"https://idp.example\" && identity.instance != \"2\"",
    ];

    private static readonly string[] Clauses =
    [
        """{ approvers: ["group:leads"], expiresAfter: 30m }""",
        """{ approvers: ["group:leads"], expiresAfter: 20m }""",
        """{ approvers: ["group:leads"], quorum: 2, expiresAfter: 30m }""",
        """{ approvers: ["group:dbas"], expiresAfter: 30m }""",
        """{ approvers: ["group:leads"], expiresAfter: 30m, escalate: { after: 5m, to: ["group:dbas"] } }""",
        """{ approvers: ["group:leads"], expiresAfter: 30m, escalate: { after: 6m, to: ["group:dbas"] } }""",
        """{ approvers: ["group:leads"], expiresAfter: 30m, executor: helper }""",
        """{ approvers: ["group:leads"], expiresAfter: 30m, timeBox: 2h }""",
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 16)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task The_preview_is_exactly_what_applying_ends_and_takes_back(int seed)
    {
        var dice = new Dice((ulong)seed);
        await using var broker = await StartAsync(Clauses[^1]);
        for (var i = 0; i < 20; i++)
        {
            var workload = dice.Of<string>(["triage", "helper"]);
            var command = BrokerHarness.Command(
                workload,
                dice.Of<string>(["1", "2", "3"]),
                dice.Of<string>(["billing", "api-key"]),
                $"{(workload == "triage" ? "t" : "h")}-{dice.Below(4)}",
                TimeSpan.FromMinutes(1 + dice.Below(9))
            );
            // What falls into a time box is issued.
            if (
                await broker.ExchangeAsync(command) is ExchangeOutcome.Challenged { Approval: var asked }
                && dice.Chance(0.6)
            )
            {
                await AgreeAsync(broker, asked, dice.Chance(0.7) ? TimeSpan.FromHours(1) : null);
                if (dice.Chance(0.5))
                {
                    await broker.IssueAsync(command with { ApprovalId = asked.Id });
                    if (dice.Chance(0.5) && await broker.Store.TimeBoxes.FindAsync(asked.Id, default) is not null)
                    {
                        await broker.IssueAsync(command with { Task = command.Task with { Purpose = "again" } });
                    }
                }
            }

            broker.Time.Advance(TimeSpan.FromSeconds(dice.Below(90)));
        }

        await broker.ApprovalSweep.RunAsync(default);
        var text = Text(
            dice.Of(Rules),
            dice.Of<string>(["4m", "10m"]),
            dice.Chance(0.2) ? "allow" : "challenge",
            dice.Of(Clauses),
            $"seed {seed}"
        );
        var open = await broker.Store.Approvals.ListOpenAsync(default);
        var (boxes, _) = await broker.Store.TimeBoxes.ListOpenAsync(0, 100, default);
        var live = await broker.LeasesAsync(LeaseState.Active);

        var preview = await new PolicyPreview(broker.Store, broker.Policy).RunAsync(
            new() { Name = "policy.yaml", Text = text },
            default
        );
        await broker.ApplyAsync(text);
        await broker.Reevaluation.RunAsync(default);
        await broker.ApprovalSweep.RunAsync(default);
        await broker.TimeBoxSweep.RunAsync(default);

        Assert.Empty(preview.Faults);
        Assert.NotEmpty(boxes);
        Assert.Equal(boxes.Count, preview.OpenTimeBoxes);
        var (left, _) = await broker.Store.TimeBoxes.ListOpenAsync(0, 100, default);
        Assert.Equal(
            boxes.Select(box => box.Approval.Id).Except(left.Select(box => box.Approval.Id)).Order(),
            preview.EndedTimeBoxes.Select(ended => ended.TimeBox.Approval.Id).Order()
        );
        Assert.Equal((open.Count, live.Count), (preview.OpenApprovals, preview.Live));
        var voided = new List<string>();
        foreach (var approval in open)
        {
            var now = (await broker.Store.Approvals.FindAsync(approval.Id, default))!;
            if (now.State == ApprovalState.Voided)
            {
                Assert.Equal("policy-change", now.Reason);
                voided.Add(now.Id);
            }
            else
            {
                Assert.Equal(approval.State, now.State);
            }
        }

        Assert.Equal(voided.Order(), preview.Voided.Select(taken => taken.Approval.Id).Order());
        var after = (await broker.LeasesAsync()).ToDictionary(lease => lease.Id);
        Assert.Equal(
            live.Where(lease => after[lease.Id].State != LeaseState.Active).Select(lease => lease.Id).Order(),
            preview.Ended.Select(ended => ended.Lease.Id).Order()
        );
    }

    [Fact]
    public async Task It_says_why_each_is_taken_back()
    {
        await using var broker = await StartAsync();
        var asked = await AskAsync(broker, "triage", "t-1");
        var approved = await AskAsync(broker, "helper", "h-1");
        await AgreeAsync(broker, approved);

        Assert.Empty((await PreviewAsync(broker, Text(Everybody, "10m", "challenge", Clauses[0], "a word"))).Voided);
        Assert.Equal(
            [(asked.Id, PolicyEffect.Deny, "CB2001"), (approved.Id, PolicyEffect.Challenge, "triage-reads")],
            Told(await PreviewAsync(broker, Text("agent == \"helper\"", "10m", "challenge", Clauses[2], "")))
        );
        Assert.Equal(
            [(asked.Id, PolicyEffect.Allow, "triage-reads"), (approved.Id, PolicyEffect.Allow, "triage-reads")],
            Told(await PreviewAsync(broker, Text(Everybody, "10m", "allow", Clauses[0], "")))
        );

        // What is over by its time is nobody's to take back.
        broker.Time.Advance(TimeSpan.FromMinutes(31));
        await broker.ApprovalSweep.RunAsync(default);
        var later = await PreviewAsync(broker, Text("agent == \"helper\"", "10m", "challenge", Clauses[2], ""));
        Assert.Equal((0, 0), (later.OpenApprovals, later.Voided.Count));
    }

    private static IEnumerable<(string, PolicyEffect, string)> Told(PolicyPreviewResult preview) =>
        preview.Voided.Select(taken => (taken.Approval.Id, taken.Fate.Effect, taken.Fate.DecidedBy));

    private static async Task<Approval> AskAsync(BrokerHarness broker, string workload, string task) =>
        Assert
            .IsType<ExchangeOutcome.Challenged>(await broker.ExchangeAsync(BrokerHarness.Command(workload, task: task)))
            .Approval;

    private static ValueTask<PolicyPreviewResult> PreviewAsync(BrokerHarness broker, string text) =>
        new PolicyPreview(broker.Store, broker.Policy).RunAsync(
            new PolicyDocument { Name = "policy.yaml", Text = text },
            default
        );

    private static async Task AgreeAsync(BrokerHarness broker, Approval asked, TimeSpan? timeBox = null)
    {
        var ann = new Person
        {
            Issuer = "https://people.example",
            Subject = "ann",
            Roles = new HashSet<PersonRole> { PersonRole.Approver },
            Groups = ["leads"],
            ProofExpiresAt = DateTimeOffset.MaxValue,
            ProofHash = "hash",
        };
        var said = await broker.People.AgreeAsync(ann, asked.Id, asked.Digest, timeBox, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out var refusal), refusal?.Detail);
    }

    private static string Text(string rule, string maxTtl, string effect, string clause, string comment)
    {
        var text = HarnessPolicy.Text(rule, maxTtl, comment);
        return effect == "allow"
            ? text
            : text.Replace("effect: allow", $"effect: challenge\n    approval: {clause}", StringComparison.Ordinal);
    }

    private static async Task<BrokerHarness> StartAsync(string? first = null)
    {
        var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(Text(Everybody, "10m", "challenge", first ?? Clauses[0], "first"));
        return broker;
    }
}
