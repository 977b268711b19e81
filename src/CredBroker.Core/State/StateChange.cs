using CredBroker.Core.Audit;

namespace CredBroker.Core.State;

/// <summary>
/// A change of the broker's state, as <see cref="IBrokerStore.CommitAsync"/> takes it: one <see cref="Transition"/>, or
/// <see cref="All"/> of several. The transitions are grouped by noun, a file each.
/// </summary>
public abstract partial record StateChange
{
    private StateChange() { }

    /// <summary>
    /// One transition: what changes, the state it expects (its guard), and the audit event that commits with it.
    /// </summary>
    public abstract record Transition : StateChange
    {
        private protected Transition() { }

        /// <summary>
        /// The event that is recorded if, and only if, the change commits. Null only within <see cref="All"/>, where
        /// another transition's event says all that this one's would.
        /// </summary>
        public required AuditEvent? Event { get; init; }
    }

    /// <summary>
    /// Several transitions that must be one: they are made in this order, each sees what those before it did, and the
    /// first guard that fails undoes them all. Each records its own event.
    /// </summary>
    public sealed record All(IReadOnlyList<Transition> Changes) : StateChange;
}
