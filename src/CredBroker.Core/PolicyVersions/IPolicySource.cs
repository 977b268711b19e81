using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.PolicyVersions;

/// <summary>Seam: where the policy document comes from. It only reads; applying is a committed state change.</summary>
public interface IPolicySource
{
    /// <summary>
    /// The newest document, or null where there is none. Throws <see cref="IOException"/> when it exists but cannot be
    /// read.
    /// </summary>
    ValueTask<PolicyDocument?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Completes when the document may have changed since the last read.</summary>
    Task WaitForChangeAsync(CancellationToken cancellationToken);
}
