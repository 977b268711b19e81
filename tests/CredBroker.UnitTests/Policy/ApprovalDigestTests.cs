using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.UnitTests.Policy;

/// <summary>An approval is of one exact request: what differs in anything has another digest.</summary>
public sealed class ApprovalDigestTests
{
    private static readonly VaultBinding[] Bindings =
    [
        new VaultBinding.Database("database", "role"),
        new VaultBinding.Dynamic("aws/creds/deploy", "POST"),
        new VaultBinding.Pki("pki", "role", PkiMode.Issue),
        new VaultBinding.KeyValue("secret", "payments/key"),
        new VaultBinding.Token("role"),
    ];

    private static readonly WorkloadIdentity Identity = Samples.Payer with
    {
        SpiffeId = "spiffe://acme.example/payer",
        TrustDomain = "acme.example",
        ConfirmationKey = new(default, "thumbprint"),
        Claims = Samples.Claims("""{"azp":"payer","n":7}"""),
    };

    private static readonly CredentialRequest Request = Samples.Transfer with
    {
        Actions = ["transfer", "list"],
        Resource = "acct-1",
        Params = new Dictionary<string, string> { ["tenant"] = "acme", ["region"] = "eu" },
        Ttl = TimeSpan.FromMinutes(1),
        Csr = "csr",
        ToolCall = new("transfer", Samples.Json("""{"amount":100,"iban":"DE02","deep":{"a":1,"b":[1,2]}}""")),
    };

    // Not bound: a new token has another end and hash each time, the policy's hash changes with every edit elsewhere, and
    // the rest is only said of the decision. What `vault setup` needs is not stored with a decision, nor is what a path's
    // parameters may be: what they are is in the request, and where they lead in the entry. Limits bind whatever
    // is issued, approved or not, as they are when it is.
    private static readonly string[] NotBound =
    [
        "identity.ProofExpiresAt",
        "identity.ProofHash",
        "decision.Effect",
        "decision.PolicyHash",
        "decision.Explanation",
        "decision.Refusal",
        "decision.Shadow",
        "decision.Limits",
        "decision.Breach",
        "decision.Grant.Entry.Setup",
        "decision.Grant.Entry.Params",
    ];

    public static TheoryData<int> Engines => [.. Enumerable.Range(0, Bindings.Length)];

    [Theory]
    [MemberData(nameof(Engines))]
    public void A_change_of_any_one_field_changes_the_digest(int engine)
    {
        var decision = Challenge(Bindings[engine]);
        var digest = ApprovalDigest.Of(Identity, Samples.PaymentTask, Request, decision);
        var seen = new Dictionary<string, string> { [digest] = "nothing" };
        List<(string Field, string Digest)> variants =
        [
            .. Variations
                .Of(Identity, typeof(WorkloadIdentity), "identity")
                .Select(one => (one.Field, Of((WorkloadIdentity)one.Value!, Samples.PaymentTask, Request, decision))),
            .. Variations
                .Of(Samples.PaymentTask, typeof(AgentTask), "task")
                .Select(one => (one.Field, Of(Identity, (AgentTask)one.Value!, Request, decision))),
            .. Variations
                .Of(Request, typeof(CredentialRequest), "request")
                .Select(one => (one.Field, Of(Identity, Samples.PaymentTask, (CredentialRequest)one.Value!, decision))),
            .. Variations
                .Of(decision, typeof(Decision), "decision")
                .Select(one => (one.Field, Of(Identity, Samples.PaymentTask, Request, (Decision)one.Value!))),
        ];

        Assert.True(variants.Count > 150, $"only {variants.Count}");
        foreach (var (field, other) in variants)
        {
            if (
                NotBound.Any(name =>
                    field == name
                    || (field.StartsWith(name, StringComparison.Ordinal) && field[name.Length] is ('.' or '['))
                )
            )
            {
                Assert.True(digest == other, $"{field} is not to be bound");
            }
            else
            {
                // Nor has it the digest of any other change.
                Assert.True(seen.TryAdd(other, field), $"{field} has the digest of {seen[other]}");
            }
        }

        foreach (var name in NotBound)
        {
            Assert.Contains(variants, variant => variant.Field.StartsWith(name, StringComparison.Ordinal));
        }
    }

    /// <summary>What may differ within a time box, and what follows from it in the grant; all else is fixed.</summary>
    [Theory]
    [MemberData(nameof(Engines))]
    public void A_time_box_leaves_out_purpose_actions_and_life_and_nothing_else(int engine)
    {
        string[] leftOut =
        [
            "task.Purpose",
            "request.Actions",
            "request.Ttl",
            "decision.Grant.Ttl",
            "decision.Grant.TtlCut",
        ];
        var (task, decision) = (Samples.PaymentTask, Challenge(Bindings[engine]));
        var digest = ApprovalDigest.OfTimeBox(Identity, task, Request, decision);
        Assert.NotEqual(digest, Of(Identity, task, Request, decision));
        List<(string Field, bool IsBound, bool IsFixed)> variants =
        [
            .. Variations
                .Of(Identity, typeof(WorkloadIdentity), "identity")
                .Select(one => Compare(one.Field, (WorkloadIdentity)one.Value!, task, Request, decision)),
            .. Variations
                .Of(task, typeof(AgentTask), "task")
                .Select(one => Compare(one.Field, Identity, (AgentTask)one.Value!, Request, decision)),
            .. Variations
                .Of(Request, typeof(CredentialRequest), "request")
                .Select(one => Compare(one.Field, Identity, task, (CredentialRequest)one.Value!, decision)),
            .. Variations
                .Of(decision, typeof(Decision), "decision")
                .Select(one => Compare(one.Field, Identity, task, Request, (Decision)one.Value!)),
        ];

        foreach (var (field, isBound, isFixed) in variants)
        {
            var isLeftOut = leftOut.Any(name =>
                field == name || field.StartsWith(name + "[", StringComparison.Ordinal)
            );
            Assert.True(isFixed == (isBound && !isLeftOut), $"{field}: bound {isBound}, fixed {isFixed}");
        }

        foreach (var name in leftOut)
        {
            Assert.Contains(variants, variant => variant.Field.StartsWith(name, StringComparison.Ordinal));
        }

        (string, bool, bool) Compare(
            string field,
            WorkloadIdentity identity,
            AgentTask other,
            CredentialRequest request,
            Decision changed
        ) =>
            (
                field,
                Of(identity, other, request, changed) != Of(Identity, task, Request, decision),
                ApprovalDigest.OfTimeBox(identity, other, request, changed) != digest
            );
    }

    [Fact]
    public void What_is_stored_has_the_digest_that_was_shown()
    {
        var record = new DecisionRecord
        {
            Id = "1",
            PolicyVersion = 1,
            Identity = Identity,
            Task = Samples.PaymentTask,
            Request = Request,
            Verdict = Challenge(Bindings[0]),
        };

        var back = JsonSerializer.Deserialize(
            JsonSerializer.Serialize(record, StateJson.Default.DecisionRecord),
            StateJson.Default.DecisionRecord
        )!;

        Assert.Equal(Of(record), Of(back));
        Assert.Matches("^[0-9a-f]{64}$", Of(back));
    }

    [Fact]
    public void The_same_arguments_in_other_words_are_the_same()
    {
        var other = Request with
        {
            ToolCall = new(
                "transfer",
                Samples.Json("""{ "deep": {"b":[1e0, 2.0], "\u0061":1}, "iban":"DE\u00302", "amount": 1e2 }""")
            ),
        };

        Assert.Equal(
            Of(Identity, Samples.PaymentTask, Request, Challenge(Bindings[0])),
            Of(Identity, Samples.PaymentTask, other, Challenge(Bindings[0]))
        );
    }

    /// <summary>The serializer would write one mark for each half, and two requests would share an approval.</summary>
    [Fact]
    public void Text_that_is_no_Unicode_has_no_digest()
    {
        var (task, decision) = (Samples.PaymentTask, Challenge(Bindings[0]));

        Assert.Throws<ArgumentException>(() => Of(Identity, task with { Purpose = "\ud800" }, Request, decision));
        Assert.Throws<ArgumentException>(() => Of(Identity with { Subject = "\udc00" }, task, Request, decision));
        Assert.ThrowsAny<Exception>(() =>
            Of(
                Identity,
                task,
                Request with
                {
                    ToolCall = new("transfer", Samples.Json("""{"iban":"\ud800"}""")),
                },
                decision
            )
        );
    }

    private static string Of(DecisionRecord record) => Of(record.Identity, record.Task, record.Request, record.Verdict);

    private static string Of(WorkloadIdentity identity, AgentTask task, CredentialRequest request, Decision decision) =>
        ApprovalDigest.Of(identity, task, request, decision);

    private static PolicyLimit Limit(string id) =>
        new()
        {
            Id = id,
            Per = LimitScope.Instance,
            MaxActive = 5,
            MaxIssued = new(60, TimeSpan.FromHours(1)),
            MaxDenied = new(10, TimeSpan.FromMinutes(5)),
            QuarantineFor = TimeSpan.FromMinutes(15),
        };

    private static Decision Challenge(VaultBinding binding) =>
        new()
        {
            Effect = PolicyEffect.Challenge,
            PolicyHash = "hash",
            Agent = "payer",
            RuleId = "rule",
            MatchedRules = ["rule", "other"],
            Gate = [new("owner", true), new("attributable", false)],
            Refusal = new(RefusalCode.ApprovalNeeded, "detail"),
            Explanation = "because",
            Shadow = [new("a", PolicyEffect.Deny, "b"), new("c", PolicyEffect.Allow, "d")],
            Limits = [Limit("one"), Limit("other")],
            Breach = new(Limit("one"), LimitKind.Active, TimeSpan.FromSeconds(1)),
            Obligations =
            [
                new Obligation.NeedsApproval([
                    new()
                    {
                        RuleId = "rule",
                        Approvers = [new Approver.Group("g"), new Approver.Role("r"), new Approver.Person("i", "s")],
                        NotBy = [new("i", "owner"), new("i", "second")],
                        Quorum = 2,
                        Escalation = new(TimeSpan.FromMinutes(3), [new Approver.Group("e"), new Approver.Role("f")]),
                        ExpiresAfter = TimeSpan.FromMinutes(5),
                        Executor = "payments-executor",
                        Show =
                        [
                            new("Amount", "toolCall.arguments.amount", false),
                            new("To", "toolCall.arguments.iban", true),
                        ],
                    },
                    new()
                    {
                        RuleId = "other",
                        Approvers = [new Approver.Group("h"), new Approver.Group("g")],
                        NotBy = [new("i", "o"), new("i", "p")],
                        Show =
                        [
                            new("A", "toolCall.arguments.amount", false),
                            new("B", "toolCall.arguments.iban", true),
                        ],
                        Escalation = new(TimeSpan.FromSeconds(40), [new Approver.Group("k"), new Approver.Group("l")]),
                        ExpiresAfter = TimeSpan.FromMinutes(1),
                    },
                ]),
                new Obligation.LivesAtMost(TimeSpan.FromMinutes(2)),
            ],
            Grant = new()
            {
                Entry = new()
                {
                    Name = "payments-api-key",
                    Vault = binding,
                    Access = AccessKind.External,
                    Impact = ImpactLevel.High,
                    Reversible = false,
                    Actions = ["transfer", "list"],
                    MaxTtl = TimeSpan.FromMinutes(2),
                    Category = "money-movement",
                    Connection = new("host", 5432, "database", "verify-full"),
                    Names = new("uri", "dns", "name"),
                    Address = "https://vault.example",
                    MayMakeMore = true,
                    MakesMoreAt = ["a", "b"],
                    Params = [new("tenant", "a"), new("region", "b")],
                    Setup = new()
                    {
                        Grants = ["a", "b"],
                        AllowedUris = ["a", "b"],
                        AllowedDomains = ["a", "b"],
                    },
                },
                Process = new()
                {
                    Name = "payments",
                    Owner = new("issuer", "subject", "contact"),
                    ToleratesRuntimeAction = false,
                    Agents = ["payer", "payments-executor"],
                    AcceptsUnrevocable = ["a", "b"],
                },
                Ttl = TimeSpan.FromMinutes(1),
                MaxTtl = TimeSpan.FromMinutes(2),
                TtlCut = false,
            },
        };
}
