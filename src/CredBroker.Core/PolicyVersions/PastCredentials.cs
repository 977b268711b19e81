using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.State;

namespace CredBroker.Core.PolicyVersions;

/// <summary>
/// Every credential that Vault may hold leases of: those of the policy in force and of each version before it that the
/// store has. A credential that left the policy leaves its secrets alive. What an applied version says never changes, so
/// each is read once.
/// </summary>
public sealed class PastCredentials(PolicyControl policy, IBrokerStore store) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<VaultBinding, CatalogueEntry> _past = [];
    private readonly List<long> _unreadable = [];
    private long _readTo;

    /// <summary>
    /// They, each place in Vault once, those in force first; null while no policy is in force. Throws
    /// <see cref="StoreUnavailableException"/> where the versions cannot be read.
    /// </summary>
    public async ValueTask<PastCatalogue?> ReadAsync(CancellationToken cancellationToken)
    {
        if (policy.Current is not { } current)
        {
            return null;
        }

        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (await store.Policies.FindNextAsync(_readTo, cancellationToken) is { } version)
            {
                Add(version);
                _readTo = version.Version;
            }

            var inForce = PastCatalogue.Of(current.Set.Credentials.Values);
            return inForce with
            {
                Past = [.. _past.Values.ExceptBy(inForce.InForce.Select(entry => entry.Vault), entry => entry.Vault)],
                UnreadableVersions = [.. _unreadable],
            };
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Those of the policy in force alone, where the store cannot be read; null while there is none.</summary>
    public PastCatalogue? InForce =>
        policy.Current is { } current ? PastCatalogue.Of(current.Set.Credentials.Values) : null;

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private void Add(AppliedPolicyRecord version)
    {
        if (PolicyCompiler.Compile(version.Document).Set is not { } set)
        {
            // Another version of the broker accepted it.
            _unreadable.Add(version.Version);
            return;
        }

        foreach (var entry in PastCatalogue.Of(set.Credentials.Values).InForce)
        {
            _past[entry.Vault] = entry;
        }
    }
}

/// <summary>Credentials, each place in Vault once; KV values, of which Vault has no leases, left out.</summary>
/// <param name="InForce">Those of the policy in force.</param>
/// <param name="Past">Those of earlier versions only.</param>
/// <param name="UnreadableVersions">Versions that this broker does not understand.</param>
public sealed record PastCatalogue(
    IReadOnlyList<CatalogueEntry> InForce,
    IReadOnlyList<CatalogueEntry> Past,
    IReadOnlyList<long> UnreadableVersions
)
{
    /// <summary>These entries alone.</summary>
    public static PastCatalogue Of(IEnumerable<CatalogueEntry> inForce) =>
        new(
            [.. inForce.Where(entry => entry.Vault is not VaultBinding.KeyValue).DistinctBy(entry => entry.Vault)],
            [],
            []
        );
}
