namespace CredBroker.Core.State;

/// <summary>
/// What people gave beside their yes: until its end, whoever redeemed the approval is issued the same again, and nobody is
/// asked. Its approval names it. It opens in the transaction that redeems the approval, and what ends it early, a hold, an
/// order, a closed task, a new epoch, ends it in the transaction that puts that on record.
/// </summary>
public sealed record TimeBox
{
    /// <summary>
    /// How many secrets are issued in one at most, the first included; who needs more asks people again. It bounds what one
    /// yes can lead to where policy has no limit, and what has to be found when its leases are to go.
    /// </summary>
    public const int MaxUses = 1_000;

    /// <summary>Its place among all of them, in the order of their opening.</summary>
    public required long Number { get; init; }

    /// <summary>The approval that it was given with, which is redeemed.</summary>
    public required Approval Approval { get; init; }

    /// <summary>What it fixes, as <see cref="Policy.ApprovalDigest.OfTimeBox"/> says it.</summary>
    public required string Digest { get; init; }

    /// <summary>When the approval was redeemed, by the count of what has passed.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>Its end, by the same.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>How many leases were opened in it, the first included.</summary>
    public required int Uses { get; init; }

    /// <summary>When its end was put on record; null while it is not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Who ended it, as in the audit event's actor.</summary>
    public string EndedBy { get; init; } = "";

    /// <summary>What ended it, in one word.</summary>
    public string Cause { get; init; } = "";

    /// <summary>Whether something can still be issued in it, as far as time goes: one that is over is, on record or not yet.</summary>
    public bool IsOpenAt(StorePosition now) => EndedAt is null && EndsAt > now.Counted;
}
