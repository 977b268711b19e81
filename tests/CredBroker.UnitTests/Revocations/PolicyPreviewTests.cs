using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Testing;
using CredBroker.Testing.Broker;

namespace CredBroker.UnitTests.Revocations;

/// <summary>The law of the preview: what it lists is what applying ends, no lease more and none less.</summary>
public sealed class PolicyPreviewTests
{
    private const string Everybody = "agent == \"triage\" || agent == \"helper\"";

    private static readonly string[] Rules =
    [
        Everybody,
        "agent == \"triage\"",
        "agent == \"helper\"",
        "credential.name == \"billing\"",
        "credential.name == \"api-key\" && agent == \"triage\"",
        "request.ttl <= duration(\"3m\")",
        "task.id == \"t-1\" || task.id == \"t-4\"",
        "has(toolCall.arguments.amount) && toolCall.arguments.amount > 1",
        "identity.issuer == \"https://idp.example\" && identity.instance != \"2\"",
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task The_preview_is_exactly_what_applying_ends(int seed)
    {
        var dice = new Dice((ulong)seed);
        await using var broker = await StartAsync();
        for (var i = 0; i < 24; i++)
        {
            var workload = Pick(dice, "triage", "helper");
            await broker.IssueAsync(
                BrokerHarness.Command(
                    workload,
                    Pick(dice, "1", "2", "3"),
                    Pick(dice, "billing", "api-key"),
                    // A task is its workload's own.
                    $"{(workload == "triage" ? "t" : "h")}-{dice.Below(6)}",
                    TimeSpan.FromMinutes(1 + dice.Below(9))
                )
            );
            broker.Time.Advance(TimeSpan.FromSeconds(dice.Below(4)));
        }

        var text = HarnessPolicy.Text(
            rule: Pick(dice, Rules),
            maxTtl: Pick(dice, "1m", "4m", "10m"),
            comment: $"seed {seed}"
        );
        text = dice.Chance(0.25) ? text.Replace("cb-test-billing", "cb-test-moved", StringComparison.Ordinal) : text;
        var before = (await broker.LeasesAsync(LeaseState.Active)).ToDictionary(lease => lease.Id);

        var preview = await new PolicyPreview(broker.Store, broker.Policy).RunAsync(Document(text), default);
        await broker.ApplyAsync(text);
        await broker.Reevaluation.RunAsync(default);

        Assert.Empty(preview.Faults);
        Assert.Equal(before.Count, preview.Live);
        var after = (await broker.LeasesAsync()).ToDictionary(lease => lease.Id);
        Assert.Equal(
            before.Keys.Where(id => after[id].State != LeaseState.Active).Order(),
            preview.Ended.Select(ended => ended.Lease.Id).Order()
        );
        Assert.All(preview.Ended, ended => Assert.Equal(RevocationCause.PolicyChange, after[ended.Lease.Id].Cause));
        Assert.Equal(
            before
                .Values.Where(lease => after[lease.Id].State == LeaseState.Active)
                .Where(lease => after[lease.Id].ExpiresAt != lease.ExpiresAt)
                .Select(lease => (lease.Id, after[lease.Id].ExpiresAt))
                .Order(),
            preview.Shortened.Select(earlier => (earlier.Lease.Id, (DateTimeOffset?)earlier.EndsAt)).Order()
        );
        Assert.Equal((preview.EndedCount, preview.ShortenedCount), (preview.Ended.Count, preview.Shortened.Count));
    }

    [Fact]
    public async Task A_preview_says_why_and_changes_nothing()
    {
        await using var broker = await StartAsync();
        var (ends, stays) = (
            await broker.IssueAsync(BrokerHarness.Command("helper", task: "h")),
            await broker.IssueAsync(BrokerHarness.Command("triage"))
        );
        var head = broker.Store.Position.AuditHead;

        var preview = await new PolicyPreview(broker.Store, broker.Policy).RunAsync(
            Document(HarnessPolicy.Text(rule: "agent == \"triage\"", maxTtl: "1m")),
            default
        );

        Assert.Equal((ends.Id, "CB2001"), (preview.Ended.Single().Lease.Id, preview.Ended.Single().Rule));
        Assert.Equal(
            (stays.Id, stays.ActivatedAt!.Value.AddMinutes(1)),
            (preview.Shortened.Single().Lease.Id, preview.Shortened.Single().EndsAt)
        );
        Assert.Equal(head, broker.Store.Position.AuditHead);
        Assert.Equal(2, (await broker.LeasesAsync(LeaseState.Active)).Count);
    }

    [Fact]
    public async Task A_document_with_faults_ends_nothing_and_says_them_all()
    {
        await using var broker = await StartAsync();
        await broker.IssueAsync();

        var preview = await new PolicyPreview(broker.Store, broker.Policy).RunAsync(Document("apiVersion: x"), default);

        Assert.Null(preview.Policy);
        Assert.True(preview.Faults.Count > 1);
        Assert.Empty(preview.Ended);
    }

    [Fact]
    public async Task Rules_in_shadow_are_not_tried_on_leases()
    {
        await using var broker = await StartAsync();
        var lease = await broker.IssueAsync();
        var shadows = string.Concat(
            Enumerable
                .Range(0, 100)
                .Select(n => $"\n  - {{ id: s{n}, effect: deny, enforcement: shadow, when: 'agent == \"triage\"' }}")
        );
        var alone = PolicyCompiler.Compile(Document(HarnessPolicy.Text())).Set!;
        var shadowed = PolicyCompiler.Compile(Document(HarnessPolicy.Text() + shadows)).Set!;

        Assert.Equal(LeaseFate.Of(lease, alone), LeaseFate.Of(lease, shadowed));
        Assert.InRange(Cost(shadowed), 1, 2 * Cost(alone));

        long Cost(PolicySet policy)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            LeaseFate.Of(lease, policy);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public async Task A_preview_that_is_given_up_stops_at_the_next_lease()
    {
        await using var broker = await StartAsync();
        await broker.IssueAsync();
        var page = await broker.Store.Leases.ListAsync(new(), TestContext.Current.CancellationToken);
        var policy = PolicyCompiler.Compile(Document(HarnessPolicy.Text())).Set!;
        var result = new PolicyPreviewResult(policy, []);

        Assert.Throws<OperationCanceledException>(() => result.Add(page, policy, new(canceled: true)));
        Assert.Equal(0, result.Live);
    }

    private static string Pick(Dice dice, params string[] values) => dice.Of(values);

    private static PolicyDocument Document(string text) => new() { Name = "policy.yaml", Text = text };

    private static async Task<BrokerHarness> StartAsync()
    {
        var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(HarnessPolicy.Text(Everybody));
        return broker;
    }
}
