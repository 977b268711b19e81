using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Testing.Audit;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Testing.Storage;

/// <summary>Leases, decisions and changes as an exchange makes them.</summary>
internal sealed class StoreSamples(FakeTimeProvider time)
{
    private long _ids;

    public static readonly TaskOwner Owner = new("https://idp.example", "triage");

    public static readonly SecretHandles Handles = new("database/creds/billing/abc", null, "v-cb-triage");

    public static AuditEvent Event(string type = "test.event") =>
        new() { What = new TestFact(type), Actor = AuditActor.Broker("test") };

    /// <summary>Ids that sort in the order they were made even while the clock stands still.</summary>
    public string NewId() =>
        Ids.New(time)[..12] + Interlocked.Increment(ref _ids).ToString("x20", CultureInfo.InvariantCulture);

    public DecisionRecord Decision(
        string instance = "i-1",
        string task = "t-1",
        string process = "invoices",
        string credential = "billing",
        long policyVersion = 0,
        string mount = "database"
    ) =>
        new()
        {
            Id = NewId(),
            PolicyVersion = policyVersion,
            Identity = new()
            {
                Proof = ProofMethod.Oidc,
                Issuer = Owner.Issuer,
                Subject = "sub-1",
                Workload = Owner.Workload,
                Instance = instance,
                TrustDomain = "acme.example",
                Claims = new Dictionary<string, JsonElement>
                {
                    ["azp"] = JsonElement.Parse("\"triage\""),
                    ["roles"] = JsonElement.Parse("[1,{\"ä\":null}]"),
                },
                ProofExpiresAt = time.GetUtcNow().AddMinutes(5),
                ProofHash = "hash",
            },
            Task = new(task, process, "sort invoices"),
            Request = new()
            {
                Credential = credential,
                Actions = ["read"],
                Ttl = TimeSpan.FromMinutes(3),
                ToolCall = new("list", JsonElement.Parse("""{"max":10}""")),
            },
            Verdict = new()
            {
                Effect = PolicyEffect.Allow,
                PolicyHash = "policy-hash",
                Agent = "triage",
                RuleId = "rule-1",
                MatchedRules = ["rule-1"],
                Gate = [new("owner", true)],
                Grant = new()
                {
                    Entry = new()
                    {
                        Name = credential,
                        Vault = new VaultBinding.Database(mount, "cb-billing"),
                        Access = AccessKind.Read,
                        Impact = ImpactLevel.Low,
                        Reversible = true,
                        Actions = ["read"],
                        MaxTtl = TimeSpan.FromMinutes(10),
                    },
                    Process = new()
                    {
                        Name = process,
                        Owner = new("https://idp.example", "owner-1", "ops"),
                        ToleratesRuntimeAction = true,
                        Agents = ["triage"],
                    },
                    Ttl = TimeSpan.FromMinutes(3),
                    MaxTtl = TimeSpan.FromMinutes(10),
                    TtlCut = false,
                },
            },
        };

    public Lease Lease(DecisionRecord? decision = null) =>
        new()
        {
            Id = NewId(),
            State = LeaseState.Pending,
            Decision = decision ?? Decision(),
            Accessor = "accessor-1",
            OpenedAt = time.GetUtcNow(),
            IssuanceDeadline = time.GetUtcNow().AddSeconds(30),
        };

    public StateChange.LeaseOpened Opened(
        Lease? lease = null,
        long fence = 0,
        TaskOwner? owner = null,
        IdempotencyClaim? idempotency = null,
        long opening = 0
    )
    {
        lease ??= Lease();
        return new()
        {
            Lease = lease,
            Reservations = new()
            {
                Fence = fence,
                Opening = opening,
                TaskOwner = owner ?? Owner,
                Idempotency = idempotency,
            },
            Event = Event(RequestAllowed.TypeName) with { LeaseId = lease.Id, DecisionId = lease.Decision.Id },
        };
    }

    /// <summary>An opening that these limits bind.</summary>
    public StateChange.LeaseOpened Opened(DecisionRecord decision, params PolicyLimit[] limits)
    {
        var opened = Opened(Lease(decision));
        return opened with { Reservations = opened.Reservations with { Limits = Uses(decision, limits) } };
    }

    public static IReadOnlyList<LimitUse> Uses(DecisionRecord decision, params PolicyLimit[] limits) =>
        LimitUse.Of(decision with { Verdict = decision.Verdict with { Limits = limits } });

    /// <summary>A denial as an exchange commits it: with what it may set off.</summary>
    public StateChange.All Denied(DecisionRecord decision, PolicyLimit limit)
    {
        var use = Uses(decision, limit)[0];
        var held = Held(LimitUse.Instance(decision), limit.QuarantineFor ?? TimeSpan.FromMinutes(1));
        var order = Order(LimitUse.Instance(decision), RevocationCause.Quarantine);
        return new([
            new StateChange.RequestDenied { Decision = decision, Event = Event(RequestDenied.TypeName) },
            new StateChange.DenialCounted { Limits = [use], Event = null },
            held with
            {
                Tripwire = new(use, LimitKind.Denied),
                Hold = held.Hold with { RevocationId = order.Id },
            },
            new StateChange.RevocationOrdered
            {
                Order = order,
                OnlyWithHold = held.Hold.Id,
                Event = Event(RevocationOrdered.TypeName),
            },
        ]);
    }

    public StateChange.LeaseActivated Activated(string leaseId, TimeSpan? ttl = null, SecretHandles? handles = null) =>
        new()
        {
            LeaseId = leaseId,
            Handles = handles ?? Handles,
            ExpiresAt = time.GetUtcNow() + (ttl ?? TimeSpan.FromMinutes(3)),
            GraceUntil = time.GetUtcNow().AddMinutes(10),
            Event = Event(LeaseIssued.TypeName),
        };

    public StateChange.LeaseRenewed Renewed(string leaseId, long fence = 0, long policyVersion = 0, long opening = 0) =>
        new()
        {
            LeaseId = leaseId,
            Fence = fence,
            Opening = opening,
            PolicyVersion = policyVersion,
            ExpiresAt = time.GetUtcNow().AddMinutes(8),
            GraceUntil = time.GetUtcNow().AddMinutes(9),
            Event = Event(LeaseRenewed.TypeName),
        };

    public StateChange.RevocationClaimed Claimed(
        string leaseId,
        string? by = "worker-1",
        RevocationCause cause = RevocationCause.Admin,
        string? order = null,
        params LeaseState[] onlyFrom
    ) =>
        new()
        {
            LeaseId = leaseId,
            Cause = cause,
            RequestedBy = $"requester of {by}",
            RevocationId = order,
            ClaimedBy = by,
            ClaimedUntil = by is null ? null : time.GetUtcNow().AddSeconds(30),
            OnlyFrom = onlyFrom,
            Event = Event(RevocationRequested.TypeName),
        };

    public StateChange.RevocationFailed Failed(string leaseId, TimeSpan? wait = null) =>
        new()
        {
            LeaseId = leaseId,
            Error = "connection refused",
            NextAttemptAt = time.GetUtcNow() + (wait ?? TimeSpan.FromSeconds(5)),
            Event = Event(RevocationFailed.TypeName),
        };

    public StateChange.AccessorRevoked AccessorRevoked(string leaseId) =>
        new()
        {
            LeaseId = leaseId,
            RevokedAt = time.GetUtcNow(),
            NextAttemptAt = time.GetUtcNow().AddSeconds(90),
            MayExistUntil = time.GetUtcNow().AddSeconds(600),
            Event = Event(Core.Audit.Events.AccessorRevoked.TypeName),
        };

    public StateChange.AbsenceAwaited AbsenceAwaited(string leaseId) =>
        new()
        {
            LeaseId = leaseId,
            NextAttemptAt = time.GetUtcNow().AddSeconds(300),
            Event = Event(Core.Audit.Events.AbsenceAwaited.TypeName),
        };

    public static StateChange.LeaseRevoked Revoked(string leaseId) =>
        new() { LeaseId = leaseId, Event = Event(LeaseRevoked.TypeName) };

    public static StateChange.LeaseEnded Ended(string leaseId, string? order = null) =>
        new()
        {
            LeaseId = leaseId,
            Cause = RevocationCause.Released,
            RequestedBy = "agent",
            RevocationId = order,
            Event = Event(LeaseEnded.TypeName),
        };

    public static StateChange.HandlesRecorded Recorded(string leaseId, SecretHandles handles) =>
        new()
        {
            LeaseId = leaseId,
            Handles = handles,
            Event = Event(LeaseLate.TypeName),
        };

    /// <summary>All of the log's one stream, up to here, is in a file.</summary>
    public static StateChange.AuditArchived Archived(AuditPosition end, DateTimeOffset latest) =>
        new() { Archive = new(end, "a.jsonl", end.Sequence, latest), Event = Event() };

    public static StateChange.ArchivedDeleted Deleted(AuditPosition end, int limit) =>
        new()
        {
            End = end,
            Limit = limit,
            Event = null,
        };

    public static StateChange.LateLeaseOpened Late(string leaseId, string lateFor) =>
        new()
        {
            LeaseId = leaseId,
            LateFor = lateFor,
            Handles = Handles,
            Cause = RevocationCause.Recovery,
            RequestedBy = "broker:exchange",
            Event = Event(LeaseLate.TypeName),
        };

    public RevocationOrder Order(LeaseSelector selector, RevocationCause cause = RevocationCause.Admin) =>
        new()
        {
            Id = NewId(),
            Selector = selector,
            Cause = cause,
            Reason = "incident 7",
            RequestedBy = "person:https://idp.example#admin",
            RequestedAt = time.GetUtcNow(),
        };

    public StateChange.RevocationOrdered Ordered(LeaseSelector selector) =>
        new() { Order = Order(selector), Event = Event(RevocationOrdered.TypeName) };

    public StateChange.HoldPlaced Held(LeaseSelector selector, TimeSpan? lasts = null) =>
        new()
        {
            Hold = new()
            {
                Id = NewId(),
                Selector = selector,
                Reason = "incident 7",
                PlacedBy = "person:https://idp.example#admin",
                PlacedAt = time.GetUtcNow(),
                Until = time.GetUtcNow() + lasts,
            },
            Event = Event(HoldPlaced.TypeName),
        };

    public static StateChange.HoldLifted Lifted(string holdId) =>
        new()
        {
            HoldId = holdId,
            LiftedBy = "person:https://idp.example#other",
            Reason = "it is over",
            Event = Event(HoldLifted.TypeName),
        };

    /// <summary>A challenge that two rules make: two of the finance leads, and the owner.</summary>
    public static IReadOnlyList<ApprovalDemand> Demands { get; } =
    [
        new()
        {
            RuleId = "two-leads",
            Approvers = [new Approver.Group("finance-leads")],
            Quorum = 2,
            ExpiresAfter = TimeSpan.FromMinutes(30),
            Show = [new("Amount", "toolCall.arguments.amount", false)],
        },
        new()
        {
            RuleId = "the-owner",
            Approvers = [new Approver.Person("https://idp.example", "owner-1")],
            ExpiresAfter = TimeSpan.FromHours(1),
        },
    ];

    public StateChange.ApprovalRequested Asked(
        DecisionRecord? decision = null,
        IReadOnlyList<ApprovalDemand>? demands = null,
        string digest = "digest-1",
        long fence = 0,
        TaskOwner? owner = null,
        long opening = 0
    )
    {
        decision ??= Decision();
        decision = decision with
        {
            Verdict = decision.Verdict with
            {
                Effect = PolicyEffect.Challenge,
                Obligations = [new Obligation.NeedsApproval(demands ?? [Demands[1]])],
            },
        };
        return new()
        {
            Approval = new()
            {
                Id = NewId(),
                State = ApprovalState.Pending,
                Decision = decision,
                Digest = digest,
                CallerKey = Approval.CallerKeyOf(decision.Identity),
                Fence = fence,
                AskedAt = time.GetUtcNow(),
                ExpiresAt = time.GetUtcNow().AddMinutes(30),
            },
            Opening = opening,
            TaskOwner = owner ?? Owner,
            Event = Event(ApprovalRequested.TypeName),
        };
    }

    public StateChange.ApprovalAgreed Agreed(
        string approvalId,
        string person = "owner-1",
        int expected = 0,
        bool completes = true,
        string digest = "digest-1",
        params int[] demands
    ) =>
        new()
        {
            ApprovalId = approvalId,
            Digest = digest,
            Agreement = new("https://idp.example", person, demands is [] ? [0] : demands, time.GetUtcNow()),
            Expected = expected,
            Completes = completes,
            Event = Event(ApprovalAgreed.TypeName),
        };

    public static StateChange.ApprovalDenied Refused(string approvalId) =>
        new()
        {
            ApprovalId = approvalId,
            DeniedBy = "person:https://idp.example#owner-1",
            Reason = "not today",
            Event = Event(ApprovalDenied.TypeName),
        };

    public static StateChange.ApprovalExpired Lapsed(string approvalId) =>
        new() { ApprovalId = approvalId, Event = Event(ApprovalExpired.TypeName) };

    public static StateChange.ApprovalVoided Voided(string approvalId, bool onlyIfFenced = false) =>
        new()
        {
            ApprovalId = approvalId,
            Cause = "policy-change",
            OnlyIfFenced = onlyIfFenced,
            Event = Event(ApprovalVoided.TypeName),
        };

    /// <summary>What the lease's holder says it did.</summary>
    public static StateChange.OutcomeReported Reported(
        string approvalId,
        string leaseId,
        string status = "succeeded"
    ) =>
        new()
        {
            ApprovalId = approvalId,
            LeaseId = leaseId,
            Outcome = new()
            {
                Status = status,
                Summary = "one invoice \"7\"",
                IsAsDeclared = true,
            },
            Event = Event(OutcomeReported.TypeName),
        };

    /// <summary>A lease that opens on the approval.</summary>
    public StateChange.LeaseOpened Redeemed(Approval approval, string? digest = null, Lease? lease = null)
    {
        var allowed = approval.Decision.Verdict with { Effect = PolicyEffect.Allow };
        var opened = Opened(lease ?? Lease(approval.Decision with { Id = NewId(), Verdict = allowed }), long.MaxValue);
        return opened with
        {
            Reservations = opened.Reservations with { Approval = new(approval.Id, digest ?? approval.Digest, "box-1") },
        };
    }

    public static StateChange.RevocationEnumerated Enumerated(string orderId, params NotSearched[] notSearched) =>
        new()
        {
            RevocationId = orderId,
            NotSearched = notSearched,
            Event = Event(RevocationEnumerated.TypeName),
        };

    /// <summary>As a broker closes a task: with the order that revokes what was issued for it.</summary>
    public StateChange.All Closed(string task = "t-1", TaskOwner? owner = null, string process = "invoices")
    {
        var order = Order(new() { Process = process, Task = task }, RevocationCause.TaskClosed);
        return new([
            new StateChange.TaskClosed
            {
                Process = process,
                TaskId = task,
                Owner = owner,
                ClosedBy = order.RequestedBy,
                Event = Event(TaskClosed.TypeName),
            },
            new StateChange.RevocationOrdered { Order = order, Event = null },
        ]);
    }

    public static StateChange.TaskBarred Barred(string task = "t-1", TaskOwner? owner = null) =>
        new()
        {
            Process = "invoices",
            TaskId = task,
            Owner = owner,
            ClosedBy = "person:https://idp.example#admin",
            Event = Event(TaskClosed.TypeName),
        };

    /// <summary>The order that comes with the closing.</summary>
    public static RevocationOrder OrderOf(StateChange.All closed) =>
        closed.Changes.OfType<StateChange.RevocationOrdered>().Single().Order;

    public static StateChange.PolicyApplied Policy(long expected, string hash) =>
        new()
        {
            Expected = expected,
            Hash = hash,
            Document = new()
            {
                Name = "policy.yaml",
                Text = $"# {hash}",
                Schemas = new Dictionary<string, string> { ["a.json"] = "{}" },
            },
            Event = Event(PolicyApplied.TypeName),
        };

    public static StateChange.EventRecorded Recorded(AuditEvent? auditEvent = null) =>
        new() { Event = auditEvent ?? Event() };
}
