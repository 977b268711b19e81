using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

/// <summary>Reads what is counted for limits. Every member sees what is committed, and nothing else.</summary>
public interface ILimitReader
{
    /// <summary>
    /// The first of these limits that one more lease would break; null where none. It spares work that would be refused;
    /// what counts is the check in the transaction that opens the lease.
    /// </summary>
    ValueTask<LimitBreach?> FindBreachAsync(IReadOnlyList<LimitUse> limits, CancellationToken cancellationToken);

    /// <summary>
    /// Whether one more denial need not be counted for this limit: as many are as make its breach, or a hold in force has
    /// its instance already.
    /// </summary>
    ValueTask<bool> IsTrippedAsync(LimitUse limit, LeaseSelector instance, CancellationToken cancellationToken);
}
