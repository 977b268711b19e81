using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.Testing.Storage;

/// <summary>Leases, decisions and changes as an exchange makes them.</summary>
internal sealed class StoreSamples(FakeTimeProvider time)
{
    private long _ids;

    public static readonly TaskOwner Owner = new("https://idp.example", "triage");

    public static readonly SecretHandles Handles = new("database/creds/billing/abc", null, "v-cb-triage");

    public static AuditEvent Event(string type = "test.event") =>
        new() { Type = type, Actor = AuditActor.Broker("test") };

    /// <summary>Ids that sort in the order they were made even while the clock stands still.</summary>
    public string NewId() =>
        Ids.New(time)[..12] + Interlocked.Increment(ref _ids).ToString("x20", CultureInfo.InvariantCulture);

    public DecisionRecord Decision(
        string instance = "i-1",
        string task = "t-1",
        string process = "invoices",
        string credential = "billing",
        long policyVersion = 0
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
            Decision = new()
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
                        Vault = new VaultBinding.Database("database", "cb-billing"),
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
        IdempotencyClaim? idempotency = null
    ) => new(lease ?? Lease(), fence, owner ?? Owner, idempotency) { Event = Event(AuditEventTypes.RequestAllowed) };

    public StateChange.LeaseActivated Activated(string leaseId, TimeSpan? ttl = null, SecretHandles? handles = null) =>
        new(
            leaseId,
            handles ?? Handles,
            time.GetUtcNow() + (ttl ?? TimeSpan.FromMinutes(3)),
            time.GetUtcNow().AddMinutes(10)
        )
        {
            Event = Event(AuditEventTypes.LeaseIssued),
        };

    public StateChange.LeaseRenewed Renewed(string leaseId, long fence = 0, long policyVersion = 0) =>
        new(leaseId, fence, policyVersion, time.GetUtcNow().AddMinutes(8), time.GetUtcNow().AddMinutes(9))
        {
            Event = Event(AuditEventTypes.LeaseRenewed),
        };

    public StateChange.RevocationClaimed Claimed(
        string leaseId,
        string? by = "worker-1",
        RevocationCause cause = RevocationCause.Admin,
        string? order = null,
        params LeaseState[] onlyFrom
    ) =>
        new(
            leaseId,
            cause,
            $"requester of {by}",
            order,
            by,
            by is null ? null : time.GetUtcNow().AddSeconds(30),
            onlyFrom
        )
        {
            Event = Event(AuditEventTypes.RevocationRequested),
        };

    public StateChange.RevocationFailed Failed(string leaseId, TimeSpan? wait = null) =>
        new(leaseId, "connection refused", time.GetUtcNow() + (wait ?? TimeSpan.FromSeconds(5)))
        {
            Event = Event(AuditEventTypes.RevocationFailed),
        };

    public StateChange.AccessorRevoked AccessorRevoked(string leaseId) =>
        new(leaseId, time.GetUtcNow(), time.GetUtcNow().AddSeconds(90))
        {
            Event = Event(AuditEventTypes.AccessorRevoked),
        };

    public static StateChange.LeaseRevoked Revoked(string leaseId) =>
        new(leaseId) { Event = Event(AuditEventTypes.LeaseRevoked) };

    public static StateChange.LeaseEnded Ended(string leaseId, string? order = null) =>
        new(leaseId, RevocationCause.Released, "agent", order) { Event = Event(AuditEventTypes.LeaseEnded) };

    public static StateChange.HandlesRecorded Recorded(string leaseId, SecretHandles handles) =>
        new(leaseId, handles) { Event = Event(AuditEventTypes.LeaseLate) };

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
        new(Order(selector)) { Event = Event(AuditEventTypes.RevocationOrdered) };

    public static StateChange.RevocationEnumerated Enumerated(string orderId) =>
        new(orderId) { Event = Event(AuditEventTypes.RevocationEnumerated) };

    public StateChange.TaskClosed Closed(string task = "t-1", TaskOwner? owner = null, string process = "invoices") =>
        new(process, task, owner, Order(new() { Process = process, Task = task }, RevocationCause.TaskClosed))
        {
            Event = Event(AuditEventTypes.TaskClosed),
        };

    public static StateChange.PolicyApplied Policy(long expected, string hash) =>
        new(
            expected,
            hash,
            new()
            {
                Name = "policy.yaml",
                Text = $"# {hash}",
                Schemas = new Dictionary<string, string> { ["a.json"] = "{}" },
            }
        )
        {
            Event = Event(AuditEventTypes.PolicyApplied),
        };

    public static StateChange.EventRecorded Recorded(AuditEvent? auditEvent = null) =>
        new() { Event = auditEvent ?? Event() };
}
