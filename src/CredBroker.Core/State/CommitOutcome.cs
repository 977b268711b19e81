using CredBroker.Core.Audit;
using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

/// <summary>What became of a state change.</summary>
public abstract record CommitOutcome
{
    private CommitOutcome() { }

    /// <summary>Change and event are durable.</summary>
    /// <param name="At">The store's clock at the commit.</param>
    /// <param name="Event">
    /// Where the event stands, of several the last; null where the change recorded none (a later claim).
    /// </param>
    /// <param name="Number">
    /// The fence or policy version that the store assigned, of several the last; 0 for other changes.
    /// </param>
    public sealed record Committed(DateTimeOffset At, AuditPosition? Event, long Number) : CommitOutcome;

    /// <summary>The guard failed, of several the first that did; nothing changed.</summary>
    /// <param name="Reason">Which.</param>
    /// <param name="Breach">Which limit, for <see cref="GuardFailure.LimitReached"/>.</param>
    /// <param name="Place">Whose guard it is, of several changes that are one: its place among them, from 0.</param>
    public sealed record GuardFailed(GuardFailure Reason, LimitBreach? Breach = null, int Place = 0) : CommitOutcome;
}
