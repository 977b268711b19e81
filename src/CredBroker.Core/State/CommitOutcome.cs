using CredBroker.Core.Audit;

namespace CredBroker.Core.State;

/// <summary>What became of a state change.</summary>
public abstract record CommitOutcome
{
    private CommitOutcome() { }

    /// <summary>Change and event are durable.</summary>
    /// <param name="At">The store's clock at the commit.</param>
    /// <param name="Event">Where the event stands; null where the change recorded none (a later claim).</param>
    /// <param name="Number">The fence or policy version that the store assigned; 0 for other changes.</param>
    public sealed record Committed(DateTimeOffset At, AuditPosition? Event, long Number) : CommitOutcome;

    /// <summary>The guard failed; nothing changed.</summary>
    public sealed record GuardFailed(GuardFailure Reason) : CommitOutcome;
}

/// <summary>Which guard failed.</summary>
public enum GuardFailure
{
    /// <summary>The row does not exist.</summary>
    NotFound,

    /// <summary>The row's state is not one of those expected, or a running claim holds it.</summary>
    WrongState,

    /// <summary>Another policy version is the newest.</summary>
    PolicyChanged,

    /// <summary>This policy was a version before.</summary>
    PolicyWasVersionBefore,

    /// <summary>A revocation order that matches was committed after the fence.</summary>
    Revoked,

    /// <summary>The task is closed.</summary>
    TaskClosed,

    /// <summary>The task belongs to another workload.</summary>
    TaskOwnedByAnother,

    /// <summary>The idempotency key is in use.</summary>
    IdempotencyTaken,

    /// <summary>The time for it is over.</summary>
    DeadlinePassed,
}
