using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

public sealed partial record Approval
{
    /// <summary>When this demand asks more people, if nobody has decided by then; null where it never does.</summary>
    public DateTimeOffset? EscalatesAt(int demand) =>
        Demands[demand].Escalation is { } later && AskedAt + later.After < ExpiresAt ? AskedAt + later.After : null;

    /// <summary>
    /// Whether this demand asks more people: by the time that has passed until now, or until it was decided. Nothing has to
    /// have run for it.
    /// </summary>
    /// <param name="demand">Its place.</param>
    /// <param name="counted">The store's time, as <see cref="StorePosition.Counted"/>.</param>
    public bool IsEscalated(int demand, DateTimeOffset counted) =>
        EscalatesAt(demand) <= (ApprovedAt ?? ClosedAt ?? counted);

    /// <summary>Who may agree to this demand by now.</summary>
    public IReadOnlyList<Approver> ApproversOf(int demand, DateTimeOffset counted) =>
        IsEscalated(demand, counted)
            ? [.. Demands[demand].Approvers, .. Demands[demand].Escalation!.To]
            : Demands[demand].Approvers;

    /// <summary>The demands whose moment to ask more people has come, and of which nobody has been told yet.</summary>
    public IReadOnlyList<int> DueFor(DateTimeOffset counted) =>
        [
            .. Enumerable
                .Range(0, Demands.Count)
                .Where(demand => EscalatesAt(demand) is { } at && at >= Escalates && at <= counted),
        ];

    /// <summary>
    /// When the question asks more people next, of those moments that come after this one; null where none does.
    /// </summary>
    public DateTimeOffset? NextEscalation(DateTimeOffset after) =>
        Enumerable.Range(0, Demands.Count).Select(EscalatesAt).Where(at => at > after).Min();
}
