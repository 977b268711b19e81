using System.Security.Cryptography;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

/// <summary>
/// A question to people about one exact request, and what they said. Its id is the reference that the agent polls and
/// redeems by. It is stored as it is given: it opens nothing without the proof of the identity that it is bound to, and
/// approvers have to name it. Its randomness only keeps others from learning that there is one.
/// </summary>
public sealed partial record Approval
{
    /// <summary>How many questions of one identity may be open at once.</summary>
    public const int MaxOpenPerCaller = 20;

    /// <summary>How many questions of one workload, all its instances together, may be open at once.</summary>
    public const int MaxOpenPerWorkload = 100;

    /// <summary>How many questions may be open at once in all.</summary>
    public const int MaxOpen = 2_000;

    /// <summary>The reference: 128 random bits as 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands.</summary>
    public required ApprovalState State { get; init; }

    /// <summary>The challenge, with everything it was made from.</summary>
    public required DecisionRecord Decision { get; init; }

    /// <summary>What it asks of people; all of them have to be met.</summary>
    public IReadOnlyList<ApprovalDemand> Demands => Decision.Verdict.Approval?.Demands ?? [];

    /// <summary>What is agreed to: the digest of the request, the identity, and what both resolved to.</summary>
    public required string Digest { get; init; }

    /// <summary>Who asked and by which key, as a digest: nobody else polls or redeems it.</summary>
    public required string CallerKey { get; init; }

    /// <summary>The newest revocation order when it was asked: a later one that reaches it takes it back.</summary>
    public required long Fence { get; init; }

    /// <summary>The number of its newest change: every change of any question has the next.</summary>
    public long Change { get; init; }

    /// <summary>When it was asked.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Until when it can be agreed to and redeemed.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it asks more people, as its rules say, and nobody has been told yet; null where it does not.</summary>
    public DateTimeOffset? Escalates { get; init; }

    /// <summary>Who has agreed so far.</summary>
    public IReadOnlyList<Agreement> Agreements { get; init; } = [];

    /// <summary>When the last one who had to has agreed.</summary>
    public DateTimeOffset? ApprovedAt { get; init; }

    /// <summary>When it was denied, redeemed, taken back, or its time was over; null while it is open.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Who closed it, as in the audit event's actor.</summary>
    public string ClosedBy { get; init; } = "";

    /// <summary>Why it was denied, in the person's words, or taken back, in one word.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The lease that it was redeemed for.</summary>
    public string? LeaseId { get; init; }

    /// <summary>What that lease's holder says it did; null where it has said nothing.</summary>
    public ReportedOutcome? Outcome { get; init; }

    /// <summary>Whether it can still lead to a lease.</summary>
    public bool IsOpen => State is ApprovalState.Pending or ApprovalState.Approved;

    /// <summary>
    /// Whether every demand has as many different people as it asks for. One that asks for nothing is met by nobody.
    /// </summary>
    public bool IsMet =>
        Demands.Count > 0
        && Enumerable.Range(0, Demands.Count).All(demand => AgreedTo(demand) >= Math.Max(1, Demands[demand].Quorum));

    /// <summary>The longest time box that may be given with a yes; null where none is offered.</summary>
    public TimeSpan? TimeBoxOffered => Decision.Verdict.Approval?.TimeBox;

    /// <summary>
    /// The time box that opens when it is redeemed, as far as people have agreed: the shortest that they gave, and none
    /// where one of them gave none.
    /// </summary>
    public TimeSpan? TimeBox =>
        TimeBoxOffered is { } most && Agreements.Count > 0 && Agreements.All(said => said.TimeBox is not null)
            ? Agreements.Select(said => said.TimeBox).Append(most).Min()
            : null;

    /// <summary>The agent that alone redeems it; empty for the one that asked.</summary>
    public string Executor => Decision.Verdict.Approval?.Executor ?? "";

    /// <summary>
    /// Who asks, as <see cref="CallerKey"/> keeps it: issuer, subject, instance, and the key that the proof is bound to,
    /// where it is.
    /// </summary>
    public static string CallerKeyOf(WorkloadIdentity identity) =>
        TextDigest.Of(
            identity.Issuer,
            identity.Subject,
            identity.Instance,
            identity.ConfirmationKey?.Kind.ToString() ?? "",
            identity.ConfirmationKey?.Thumbprint ?? ""
        );

    /// <summary>A new reference.</summary>
    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Where it stands at this moment: one whose time is over counts as expired, on record or not yet.</summary>
    public ApprovalState StateAt(StorePosition now) =>
        IsOpen && ExpiresAt <= now.Counted ? ApprovalState.Expired : State;

    /// <summary>How many different people have agreed to this demand.</summary>
    public int AgreedTo(int demand) =>
        Agreements
            .Where(agreement => agreement.Demands.Contains(demand))
            .Select(agreement => (agreement.Issuer, agreement.Subject))
            .Distinct()
            .Count();
}
