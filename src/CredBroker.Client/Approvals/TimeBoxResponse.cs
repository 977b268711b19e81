using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary>
/// A time box: until its end the one that redeemed an approval is issued the same again, no more of it and no longer, and
/// nobody is asked.
/// </summary>
public sealed record TimeBoxResponse
{
    /// <summary>The approval that it was given with; it names the time box, too.</summary>
    public required string ApprovalId { get; init; }

    /// <summary><c>open</c> or <c>ended</c>.</summary>
    public required string State { get; init; }

    /// <summary>When the approval was redeemed.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>Its end, unless something ends it before.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    /// <summary>How many secrets were issued in it, the first included.</summary>
    public required int Uses { get; init; }

    /// <summary>How many at most.</summary>
    public required int MaxUses { get; init; }

    /// <summary>Who asked.</summary>
    public required IdentityResponse Requester { get; init; }

    /// <summary>The agent that alone redeems it; absent: the one that asked.</summary>
    public string? Executor { get; init; }

    /// <summary>The business process.</summary>
    public required string Process { get; init; }

    /// <summary>The task's id.</summary>
    public required string Task { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>The actions that may be asked for, each alone or together.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>How long each secret lives at most; none outlives the time box.</summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public required TimeSpan Ttl { get; init; }

    /// <summary>Who gave it.</summary>
    public required IReadOnlyList<ApprovalAgreementResponse> Agreements { get; init; }

    /// <summary>When it was ended; absent while it is open.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Who ended it.</summary>
    public string? EndedBy { get; init; }

    /// <summary>
    /// What ended it: <c>expired</c>, <c>revoked</c>, <c>held</c>, <c>task-closed</c>, <c>policy-change</c>,
    /// <c>taken-back</c>, <c>new-epoch</c> or <c>clock-repaired</c>.
    /// </summary>
    public string? Cause { get; init; }

    /// <summary>
    /// Of a time box that was taken back with its leases: the order to revoke them, whose progress
    /// <c>GET /v1/revocations/{id}</c> shows.
    /// </summary>
    public string? RevocationId { get; init; }
}
