using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>What became of an agent's call about a lease.</summary>
public abstract record LeaseOutcome
{
    private LeaseOutcome() { }

    /// <summary>The lease as it stands after the call.</summary>
    public sealed record Found(Lease Lease) : LeaseOutcome;

    /// <summary>The lease, whose record is damaged, as it stands after a person's call.</summary>
    public sealed record Unreadable(UnreadableLease Lease) : LeaseOutcome;

    /// <summary>Refused.</summary>
    public sealed record Refused(Refusal Refusal) : LeaseOutcome;
}
