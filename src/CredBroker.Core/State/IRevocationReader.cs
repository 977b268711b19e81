namespace CredBroker.Core.State;

/// <summary>Reads revocation orders. Every member sees what is committed, and nothing else.</summary>
public interface IRevocationReader
{
    /// <summary>One revocation order, or null.</summary>
    ValueTask<RevocationOrder?> FindAsync(string revocationId, CancellationToken cancellationToken);

    /// <summary>Orders whose leases have not all been claimed yet, oldest first.</summary>
    ValueTask<IReadOnlyList<RevocationOrder>> FindOpenAsync(CancellationToken cancellationToken);
}
