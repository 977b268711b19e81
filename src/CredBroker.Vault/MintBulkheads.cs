using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;

namespace CredBroker.Vault;

/// <summary>
/// The bulkheads in front of making: one for each credential, which is given a pause by itself where it hangs, and one
/// around all credentials of a backend, so that together they neither take the connections of the others nor fill Vault.
/// The number of both is the catalogue's, past ones included.
/// </summary>
internal sealed class MintBulkheads(VaultOptions options, TimeProvider time)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private const int MaxWaiting = 256;
    private const int MaxCredentials = 1_000;

    /// <summary>With as much for revocations, it is less than Vault's 64.</summary>
    private const int MostOpen = 28;
    private const int MostBesideFirst = 8;

    /// <summary>How many databases may die at once and leave a place for one that is well.</summary>
    public const int MayDie = MostOpen - MostBesideFirst - 1;

    private readonly ConcurrentDictionary<string, Bulkhead> _credentials = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Backend> _backends = new(StringComparer.Ordinal);
    private readonly SharedPlaces _shared = new(MostOpen, MostBesideFirst);

    /// <summary>How long nothing is begun for the credential; null while something may be.</summary>
    public TimeSpan? Paused(CatalogueEntry entry) =>
        CredentialOf(entry).Paused ?? (BackendOf(entry).IsStuck ? options.CallTimeout : null);

    /// <summary>A place for one making, waited for as long as a call may take; null where there is none.</summary>
    public async ValueTask<MintPlace?> EnterAsync(CatalogueEntry entry, CancellationToken cancellationToken)
    {
        var backend = BackendOf(entry);
        if (backend.IsStuck)
        {
            return null;
        }

        using var timeout = new CancellationTokenSource(options.CallTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        var credential = await CredentialOf(entry).EnterAsync(lane: 0, either.Token, MaxWaiting);
        if (credential is null)
        {
            return null;
        }

        // What waits here holds one of its credential's few places: none of them keeps the others out by their number.
        if (await backend.Places.EnterAsync(lane: 0, either.Token) is { } place)
        {
            return new(credential, place, backend);
        }

        credential.Dispose();
        return null;
    }

    private Bulkhead CredentialOf(CatalogueEntry entry)
    {
        Forget(_credentials, static bulkhead => bulkhead.IsIdle);

        // One place of its backend is left to the others, whom what hangs here need not concern.
        return _credentials.GetOrAdd(
            entry.Name,
            static (_, made) => new(Math.Max(1, made.limit - 1), lanes: 1, LongestPause, made.time),
            (limit: LimitOf(entry.Vault), time)
        );
    }

    private Backend BackendOf(CatalogueEntry entry)
    {
        Forget(_backends, static backend => backend.Places.IsIdle);
        return _backends.GetOrAdd(
            entry.Backend,
            static (_, made) => new(made.limit, made.time, made.shared),
            (
                limit: LimitOf(entry.Vault),
                time,
                // What Vault makes by itself waits for nobody else.
                shared: entry.Vault is VaultBinding.Database or VaultBinding.Dynamic ? _shared : null
            )
        );
    }

    /// <summary>What is of the past, once there is much.</summary>
    private static void Forget<T>(ConcurrentDictionary<string, T> all, Predicate<T> isIdle)
    {
        if (all.Count > MaxCredentials)
        {
            foreach (var (name, bulkhead) in all)
            {
                if (isIdle(bulkhead))
                {
                    all.TryRemove(name, out _);
                }
            }
        }
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

    /// <summary>
    /// A backend's places, which bound and do not pause: whose call hangs is each credential's matter.
    /// </summary>
    internal sealed class Backend(int limit, TimeProvider time, SharedPlaces? shared)
    {
        private int _late;

        /// <summary>Never told of an answer, it never pauses.</summary>
        public Bulkhead Places { get; } = new(limit, lanes: 1, LongestPause, time, shared);

        /// <summary>Whether each place that it could have is taken by a call that is late: waiting for one is of no use.</summary>
        public bool IsStuck => Volatile.Read(ref _late) is > 0 and var late && Places.IsFullWith(late);

        public void NoteLate() => Interlocked.Increment(ref _late);

        public void NoteEnd() => Interlocked.Decrement(ref _late);
    }
}
