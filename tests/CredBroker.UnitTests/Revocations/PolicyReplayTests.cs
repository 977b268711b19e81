using CredBroker.Core.Audit;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Testing;
using CredBroker.Testing.Broker;
using CredBroker.UnitTests.Retention;

namespace CredBroker.UnitTests.Revocations;

/// <summary>The requests of the past, decided again from their records in the log.</summary>
public sealed class PolicyReplayTests
{
    private const string Everybody = "agent == \"triage\" || agent == \"helper\"";
    private const string Clause = """{ approvers: ["group:leads"], expiresAfter: 30m }""";

    private static readonly string[] Rules =
    [
        Everybody,
        "agent == \"triage\"",
        "credential.name == \"billing\"",
        "request.ttl <= duration(\"3m\")",
        "task.id == \"t-1\" || task.id == \"h-2\"",
        "identity.issuer == \"https://idp.example\" && identity.instance != \"2\"",
    ];

    private static readonly string[] Effects = ["allow", "challenge", "deny"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task What_a_policy_would_have_said_is_what_it_says_to_who_asks_it(int seed)
    {
        var dice = new Dice((ulong)seed);
        await using var past = await StartAsync(Text(dice.Of(Rules), dice.Of(Effects)));
        var text = Text(dice.Of(Rules), dice.Of(Effects));
        // A broker that has always had the other policy is the judge.
        await using var judge = await StartAsync(text);
        var expected = new List<(PolicyEffect Then, PolicyEffect Now)>();
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
            expected.Add((await AskAsync(past, command), await AskAsync(judge, command)));
        }

        var page = await ReplayAsync(past, text);

        Assert.Equal((20L, 0L, 0L, 0L), (page.Replayed, page.Unreadable, page.Counted, page.NotTold));
        Assert.Equal(
            expected.Count(pair => pair.Then != PolicyEffect.Deny && pair.Now == PolicyEffect.Deny),
            page.NewDenials
        );
        Assert.Equal(expected.Count(pair => pair is (PolicyEffect.Allow, PolicyEffect.Challenge)), page.NewChallenges);
        Assert.Equal(
            expected.Count(pair => pair.Then != PolicyEffect.Allow && pair.Now == PolicyEffect.Allow),
            page.NewAllows
        );
        Assert.Equal(
            expected.Where(pair => pair.Then != pair.Now).CountBy(pair => pair).ToDictionary(),
            page.Changes.Where(found => found.Change.Then.Effect != found.Change.Now.Effect)
                .GroupBy(found => (found.Change.Then.Effect, found.Change.Now.Effect))
                .ToDictionary(same => same.Key, same => (int)same.Sum(found => found.Count))
        );
        Assert.All(page.Changes, found => Assert.Equal("invoice-triage", found.Change.Process));
        // Under the policy that decided them nothing is otherwise.
        Assert.Empty((await ReplayAsync(past, past.Policy.Current!.Document.Text)).Changes);
    }

    [Fact]
    public async Task What_something_else_than_policy_denied_counts_as_what_policy_said()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        await broker.Holds.PlaceAsync(
            new() { Agent = "triage" },
            null,
            "stop",
            BrokerHarness.Admin,
            BrokerHarness.Call,
            default
        );
        await broker.RefusedAsync(BrokerHarness.Command());

        Assert.Empty((await ReplayAsync(broker, Text(Everybody, "allow"))).Changes);
        var page = await ReplayAsync(broker, Text("agent == \"helper\"", "allow"));
        Assert.Equal((1L, 1L), (page.Replayed, page.NewDenials));
    }

    [Fact]
    public async Task What_people_have_agreed_to_is_let_be_as_long_as_the_same_is_asked()
    {
        await using var broker = await StartAsync(Text(Everybody, "challenge"));
        var command = BrokerHarness.Command();
        var asked = Assert.IsType<ExchangeOutcome.Challenged>(await broker.ExchangeAsync(command)).Approval;
        await AgreeAsync(broker, asked);
        await broker.IssueAsync(command with { ApprovalId = asked.Id });

        Assert.Empty((await ReplayAsync(broker, Text(Everybody, "challenge"))).Changes);
        var other = await ReplayAsync(
            broker,
            Text(Everybody, "challenge").Replace("group:leads", "group:dbas", StringComparison.Ordinal)
        );
        var change = Assert.Single(other.Changes);
        Assert.Equal((2L, 1L, 1L), (other.Replayed, other.NewChallenges, change.Count));
        Assert.Equal((true, false), (change.Change.Then.IsApproved, change.Change.Now.IsApproved));
        var freed = await ReplayAsync(broker, Text(Everybody, "allow"));
        Assert.Equal((2L, 0L), (freed.NewAllows, freed.NewDenials));
        Assert.Equal(2L, (await ReplayAsync(broker, Text("agent == \"helper\"", "allow"))).NewDenials);
    }

    [Fact]
    public async Task What_a_limit_alone_asked_people_is_what_policy_let_be()
    {
        var text =
            Text(Everybody, "allow")
            + $"\nlimits:\n  - {{ id: one, per: instance, maxActive: 1, onBreach: {{ challenge: {Clause} }} }}\n";
        await using var broker = await StartAsync(text);
        await broker.IssueAsync();
        var command = BrokerHarness.Command(task: "t-2");
        var asked = Assert.IsType<ExchangeOutcome.Challenged>(await broker.ExchangeAsync(command)).Approval;
        await AgreeAsync(broker, asked);
        await broker.IssueAsync(command with { ApprovalId = asked.Id });

        var page = await ReplayAsync(broker, text);
        Assert.Equal((3L, 0L), (page.Replayed, page.NewAllows));
        Assert.Empty(page.Changes);
        Assert.Equal(3L, (await ReplayAsync(broker, Text(Everybody, "challenge"))).NewChallenges);
    }

    [Fact]
    public async Task It_goes_page_by_page_and_each_request_is_decided_again_once()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        for (var i = 0; i < 80; i++)
        {
            await broker.IssueAsync(BrokerHarness.Command(task: $"t-{i}"));
        }

        var denying = Set(Text("agent == \"helper\"", "allow"));
        var slow = new PolicyReplay(broker.Audit, new Hasty());
        var (pages, denials, after) = (0, 0L, default(AuditCursor));
        do
        {
            var page = await slow.RunAsync(denying, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, after, default);
            Assert.True(page.Scanned <= 64);
            (pages, denials, after) = (pages + 1, denials + page.NewDenials, page.Next);
        } while (after is not null);

        Assert.True(pages >= 3, $"{pages} pages");
        Assert.Equal(80, denials);
    }

    [Fact]
    public async Task Who_hangs_up_ends_it()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        await broker.IssueAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new PolicyReplay(broker.Audit, broker.Time)
                .RunAsync(
                    Set(Text(Everybody, "deny")),
                    DateTimeOffset.MinValue,
                    DateTimeOffset.MaxValue,
                    null,
                    new(canceled: true)
                )
                .AsTask()
        );
    }

    [Fact]
    public async Task A_page_ends_when_its_time_is_over_however_few_records_took_it()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        await broker.IssueAsync();
        await broker.IssueAsync(BrokerHarness.Command(task: "t-2"));

        var page = await new PolicyReplay(broker.Audit, new SecondByLook()).RunAsync(
            Set(Text(Everybody, "deny")),
            DateTimeOffset.MinValue,
            DateTimeOffset.MaxValue,
            null,
            default
        );

        Assert.Equal((2, true), (page.Scanned, page.Next is not null));
    }

    [Fact]
    public async Task Only_the_time_that_was_asked_for_counts()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        await broker.IssueAsync();
        broker.Time.Advance(TimeSpan.FromHours(2));
        await broker.IssueAsync(BrokerHarness.Command(task: "t-2"));
        var hour = broker.Store.Position.UtcNow - TimeSpan.FromHours(1);
        var replay = new PolicyReplay(broker.Audit, broker.Time);
        var denying = Set(Text(Everybody, "deny"));

        Assert.Equal(1, (await replay.RunAsync(denying, hour, DateTimeOffset.MaxValue, null, default)).Replayed);
        Assert.Equal(1, (await replay.RunAsync(denying, DateTimeOffset.MinValue, hour, null, default)).Replayed);
    }

    [Fact]
    public async Task What_cannot_be_decided_again_is_said()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        await broker.IssueAsync();
        await broker.RefusedAsync(BrokerHarness.Command(workload: "nobody"));
        for (var i = 0; i < 300; i++)
        {
            await broker.RefusedAsync(BrokerHarness.Command(workload: "nobody"));
        }

        await broker.RefusedCalls.FlushAsync(default);
        var counted = (await broker.EventsAsync("request.refused-counted"))[0]
            .GetProperty("details")
            .GetProperty("total")
            .GetInt64();
        await broker.ExecuteAsync(
            "DROP TRIGGER audit_record_is_never_changed; "
                + "UPDATE audit_record SET bytes = CAST(replace(CAST(bytes AS TEXT), '\"identity\":{', '\"identity\":[') AS BLOB) "
                + "WHERE CAST(bytes AS TEXT) LIKE '%\"type\":\"request.allowed\"%'"
        );

        var page = await ReplayAsync(broker, Text(Everybody, "allow"));

        Assert.True(counted > 0);
        Assert.Equal((counted, 1L), (page.Counted, page.Unreadable));
        Assert.Equal(301 - counted, page.Replayed);
    }

    [Fact]
    public async Task What_was_archived_is_said_where_it_reaches_into_the_time_that_was_asked_for()
    {
        await using var broker = await StartAsync(Text(Everybody, "allow"));
        await broker.IssueAsync();
        var records = new List<AuditRecord>();
        await foreach (
            var record in broker.Audit.ReadAsync(DateTimeOffset.MinValue, DateTimeOffset.MaxValue, null, default)
        )
        {
            records.Add(record);
        }

        var (last, latest) = (records[^1], broker.Store.Position.UtcNow);
        var archive = new AuditArchive(
            new(last.Stream, last.Sequence, AuditRecordWriter.Hash(last.Bytes.Span)),
            "audit.jsonl",
            records.Count,
            latest
        );
        Assert.IsType<CommitOutcome.Committed>(
            await broker.Store.CommitAsync(RetentionHarness.Archived(archive), default)
        );
        var (replay, set) = (new PolicyReplay(broker.Audit, broker.Time), Set(Text(Everybody, "allow")));

        var reaching = await replay.RunAsync(set, latest, DateTimeOffset.MaxValue, null, default);
        var later = await replay.RunAsync(set, latest.AddSeconds(1), DateTimeOffset.MaxValue, null, default);

        Assert.Equal((latest, null), (reaching.ArchivedUntil, later.ArchivedUntil));
    }

    private static async Task<PolicyEffect> AskAsync(BrokerHarness broker, ExchangeCommand command) =>
        await broker.ExchangeAsync(command) switch
        {
            ExchangeOutcome.Issued => PolicyEffect.Allow,
            ExchangeOutcome.Challenged => PolicyEffect.Challenge,
            _ => PolicyEffect.Deny,
        };

    private static async Task<PolicyReplayPage> ReplayAsync(BrokerHarness broker, string text) =>
        await new PolicyReplay(broker.Audit, broker.Time).RunAsync(
            Set(text),
            DateTimeOffset.MinValue,
            DateTimeOffset.MaxValue,
            null,
            default
        );

    private static PolicySet Set(string text) =>
        PolicyCompiler.Compile(new() { Name = "policy.yaml", Text = text }).Set
        ?? throw new InvalidOperationException("The policy of the test has faults.");

    private static async Task AgreeAsync(BrokerHarness broker, Approval asked)
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
        var said = await broker.People.AgreeAsync(ann, asked.Id, asked.Digest, BrokerHarness.Call, default);
        Assert.True(said.Passes(out _, out var refusal), refusal?.Detail);
    }

    private static string Text(string rule, string effect) =>
        effect switch
        {
            "allow" => HarnessPolicy.Text(rule, comment: "replay"),
            "challenge" => HarnessPolicy
                .Text(rule, comment: "replay")
                .Replace("effect: allow", $"effect: challenge\n    approval: {Clause}", StringComparison.Ordinal),
            _ => HarnessPolicy
                .Text(rule, comment: "replay")
                .Replace("effect: allow", "effect: deny", StringComparison.Ordinal)
                .Replace("maxTtl: 10m", "", StringComparison.Ordinal),
        };

    private static async Task<BrokerHarness> StartAsync(string text)
    {
        var broker = await BrokerHarness.StartAsync();
        await broker.ApplyAsync(text);
        return broker;
    }

    /// <summary>A clock on which every look takes longer than a page may.</summary>
    private sealed class Hasty : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _looks += 10;
    }

    /// <summary>Each look at the clock finds it a second on.</summary>
    private sealed class SecondByLook : TimeProvider
    {
        private long _timestamp;

        public override long GetTimestamp() => _timestamp += TimestampFrequency;
    }
}
