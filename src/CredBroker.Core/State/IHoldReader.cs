namespace CredBroker.Core.State;

/// <summary>Reads holds. Every member sees what is committed, and nothing else.</summary>
public interface IHoldReader
{
    /// <summary>One hold, in force or not, or null.</summary>
    ValueTask<Hold?> FindAsync(string holdId, CancellationToken cancellationToken);

    /// <summary>Every hold in force by the store's clock, newest first; <see cref="Hold.MaxInForce"/>, and those that
    /// were promised while the store took nothing, at most.</summary>
    ValueTask<IReadOnlyList<Hold>> ListInForceAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Whether a hold in force reaches what was decided. It spares work that would be refused; what counts is the check
    /// in the transaction that opens, activates or renews.
    /// </summary>
    /// <param name="decision">What was decided; null asks for a hold that reaches whatever is decided.</param>
    /// <param name="leaseId">The lease, where there is one already.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask<bool> IsHeldAsync(DecisionRecord? decision, string leaseId, CancellationToken cancellationToken);
}
