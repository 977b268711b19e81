using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;

namespace CredBroker.Vault;

/// <summary>
/// The bulkheads in front of each credential's making: one whose backend hangs neither takes the connections of the others
/// nor fills Vault, and is given a pause by itself. The number of credentials is the catalogue's, past ones included.
/// </summary>
internal sealed class MintBulkheads(VaultOptions options, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private const int MaxWaiting = 256;
    private const int MaxCredentials = 1_000;

    private readonly ConcurrentDictionary<string, Bulkhead> _bulkheads = new(StringComparer.Ordinal);

    /// <summary>How long the credential is paused still; null while it is not.</summary>
    public TimeSpan? Paused(CatalogueEntry entry) => Of(entry).Paused;

    /// <summary>A place for one making, waited for as long as a call may take; null where there is none.</summary>
    public ValueTask<Bulkhead.Pass?> EnterAsync(CatalogueEntry entry, CancellationToken cancellationToken)
    {
        var bulkhead = Of(entry);
        return bulkhead.TryEnter(lane: 0) is { } pass ? new(pass) : WaitAsync(bulkhead, cancellationToken);
    }

    private async ValueTask<Bulkhead.Pass?> WaitAsync(Bulkhead bulkhead, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.CallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        return await bulkhead.EnterAsync(lane: 0, either.Token, MaxWaiting);
    }

    private Bulkhead Of(CatalogueEntry entry)
    {
        if (_bulkheads.Count > MaxCredentials)
        {
            foreach (var (name, bulkhead) in _bulkheads)
            {
                if (bulkhead.IsIdle)
                {
                    _bulkheads.TryRemove(name, out _);
                }
            }
        }

        return _bulkheads.GetOrAdd(
            entry.Name,
            static (_, made) => new(made.limit, lanes: 1, LongestPause, made.time),
            (limit: LimitOf(entry.Vault), time)
        );
    }

    /// <summary>
    /// How many makings may be open at once. What waits for a backend holds one of Vault's storage transactions, of
    /// which OpenBao has 64 for everything, and its database engine carries out one at a time for each connection.
    /// </summary>
    private int LimitOf(VaultBinding binding) =>
        Math.Min(
            binding switch
            {
                VaultBinding.Database => 4,
                VaultBinding.Dynamic => 8,
                _ => 64,
            },
            Math.Max(1, options.MaxConnections / 2)
        );
}
