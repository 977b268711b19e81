using System.Collections.Concurrent;
using System.Globalization;
using CredBroker.FaultHarness.Load;
using CredBroker.FaultHarness.Servers;

namespace CredBroker.FaultHarness.Watch;

/// <summary>
/// Holds at every moment: no lease that is over, by the store or by what anybody was told, has a database user that can
/// log in or is logged in, a live token or a live Vault lease; no lease that is over becomes anything else; and nobody can
/// log in to the database of whom the store knows nothing.
/// </summary>
/// <remarks>
/// What was said is read first and what is alive second. As what is over stays over, no race excuses what is found.
/// </remarks>
internal sealed class Watcher(Arena arena, Ledger ledger, Tally tally, Action<string> say)
{
    /// <summary>How often the secret of one lease is tried after it is over, in passes of their own.</summary>
    private const int TriesOfSecret = 3;
    private const int TriesInOnePass = 12;

    private readonly StoreReader _store = new(arena.Store);
    private readonly ConcurrentDictionary<(string Subject, string What), Violation> _violations = new();
    private readonly Dictionary<string, string> _over = [];
    private readonly Dictionary<string, int> _tried = [];

    // What was over in a store that has forgotten it: its secret is gone all the same.
    private readonly Dictionary<string, string> _forgotten = [];
    private int _losses;

    public VaultReader Vault { get; } = new(arena.Vault);

    public DatabaseReader Database { get; } = new(arena.Postgres);

    public IReadOnlyList<Violation> Violations => [.. _violations.Values.OrderBy(violation => violation.FirstSeen)];

    /// <summary>Every lease, by id.</summary>
    public async Task<IReadOnlyDictionary<string, StoredLease>> LeasesAsync() =>
        (await _store.ReadAsync()).ToDictionary(lease => lease.Id);

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await PassAsync(TriesInOnePass);
            await Pause.ForAsync(TimeSpan.FromMilliseconds(250), stop);
        }
    }

    /// <summary>Looks at everything once.</summary>
    /// <param name="tries">How many secrets of leases that are over are tried.</param>
    public async Task PassAsync(int tries)
    {
        var (told, losses) = (new Dictionary<string, string>(ledger.Told), arena.Store.Losses);
        var users = await Database.UsersAsync();
        IReadOnlyDictionary<string, StoredLease> leases;
        try
        {
            leases = await LeasesAsync();
        }
        catch (Exception broken) when (arena.Store.IsBroken(broken))
        {
            tally.Add("watch", "the store could not be read");
            return;
        }

        CheckIsKnown(users, leases);

        foreach (var lease in leases.Values.Where(lease => lease.IsOver && lease.Credential != ArenaPolicy.KeyValue))
        {
            told[lease.Id] = $"{lease.State} since {Time(lease.ConfirmedAt)}";
        }

        CheckStaysOver(leases, told, losses);
        foreach (var (id, said) in _forgotten)
        {
            told.TryAdd(id, said);
        }

        await CheckUsersAsync(told);
        await CheckVaultLeasesAsync(leases, told);
        await CheckTokensAsync(leases, told);
        await CheckSecretsAsync(told, tries);
        tally.Add("watch", "passes");
    }

    public void Found(string subject, string what)
    {
        var now = TimeProvider.System.GetUtcNow();
        _violations.AddOrUpdate(
            (subject, what),
            _ =>
            {
                say($"VIOLATION: {subject}: {what}");
                return new()
                {
                    Subject = subject,
                    What = what,
                    FirstSeen = now,
                    LastSeen = now,
                };
            },
            (_, known) => known with { LastSeen = now }
        );
    }

    private void CheckStaysOver(
        IReadOnlyDictionary<string, StoredLease> leases,
        Dictionary<string, string> told,
        int losses
    )
    {
        foreach (var (id, said) in _over)
        {
            if (leases.GetValueOrDefault(id) is { IsOver: true })
            {
                continue;
            }

            if (arena.Store.Losses > _losses)
            {
                tally.Add("watch", "ends that the store has forgotten");
                _forgotten[id] = said;
                _over.Remove(id);
            }
            else
            {
                Found(id, $"was {said} and is not any more: {leases.GetValueOrDefault(id)?.State ?? "no row"}");
            }
        }

        _losses = losses;
        foreach (var (id, lease) in leases)
        {
            if (lease.IsOver && told.TryGetValue(id, out var said))
            {
                _over[id] = said;
            }
        }
    }

    /// <summary>A lease is on record before its secret is made: who can log in was known before.</summary>
    private void CheckIsKnown(IReadOnlyList<DatabaseUser>? users, IReadOnlyDictionary<string, StoredLease> leases)
    {
        foreach (var user in users?.Where(user => user.CanLogIn && !leases.ContainsKey(user.LeaseId)) ?? [])
        {
            if (arena.Store is PostgresStore { Losses: > 0 } store && Began(user.LeaseId) < store.PromotedAt)
            {
                // It must be gone at the end, as everything must.
                tally.Add("watch", "users seen whose lease the store has forgotten");
                continue;
            }

            Found(user.LeaseId, $"is known to no record, and user {user.Name} has LOGIN");
        }
    }

    private async Task CheckUsersAsync(Dictionary<string, string> told)
    {
        if (await Database.UsersAsync() is not { } users)
        {
            tally.Add("watch", "PostgreSQL could not be asked");
            return;
        }

        foreach (var user in users.Where(user => user.CanLogIn && told.ContainsKey(user.LeaseId)))
        {
            Found(
                user.LeaseId,
                $"{told[user.LeaseId]}, but user {user.Name} has LOGIN (password ends {user.PasswordEnds})"
            );
        }
    }

    private async Task CheckVaultLeasesAsync(
        IReadOnlyDictionary<string, StoredLease> leases,
        Dictionary<string, string> told
    )
    {
        if (await Vault.DatabaseLeasesAsync() is not { } alive)
        {
            tally.Add("watch", "OpenBao could not be asked");
            return;
        }

        var byVaultLease = leases
            .Values.Where(lease => lease.VaultLeaseId is not null)
            .ToDictionary(lease => lease.VaultLeaseId!, lease => lease.Id);
        foreach (var vaultLease in alive)
        {
            if (byVaultLease.TryGetValue(vaultLease, out var id) && told.TryGetValue(id, out var said))
            {
                Found(id, $"{said}, but Vault lease {vaultLease} is alive");
            }
        }
    }

    private async Task CheckTokensAsync(
        IReadOnlyDictionary<string, StoredLease> leases,
        Dictionary<string, string> told
    )
    {
        if (await Vault.AccessorsAsync() is not { } accessors)
        {
            tally.Add("watch", "OpenBao could not be asked");
            return;
        }

        var listed = accessors.ToHashSet();
        foreach (var lease in leases.Values.Where(lease => told.ContainsKey(lease.Id)))
        {
            foreach (var accessor in new[] { lease.Accessor, lease.CredentialAccessor })
            {
                if (accessor is not null && listed.Contains(accessor) && await Vault.IsAliveAsync(accessor) == true)
                {
                    Found(
                        lease.Id,
                        $"{told[lease.Id]}, but "
                            + $"{(accessor == lease.Accessor ? "its child token" : "the token it delivered")} is alive"
                    );
                }
            }
        }
    }

    private async Task CheckSecretsAsync(Dictionary<string, string> told, int tries)
    {
        var due = ledger
            .Issued.Where(issued =>
                told.ContainsKey(issued.LeaseId) && _tried.GetValueOrDefault(issued.LeaseId) < TriesOfSecret
            )
            .OrderBy(issued => _tried.GetValueOrDefault(issued.LeaseId))
            .ThenByDescending(issued => issued.ReceivedAt)
            .Take(tries);
        foreach (var issued in due.ToList())
        {
            var letsIn = issued.Login is { } login
                ? await Database.LetsInAsync(login.User, login.Password)
                : await Vault.LetsInAsync(issued.Token!);
            if (letsIn is not { } answer)
            {
                return;
            }

            _tried[issued.LeaseId] = _tried.GetValueOrDefault(issued.LeaseId) + 1;
            tally.Add("watch", "secrets of ended leases tried");
            if (await DatabaseReader.IsOpenAsync(issued.Session))
            {
                Found(issued.LeaseId, $"{told[issued.LeaseId]}, but its session is still open");
            }

            issued.Session = null;
            if (answer)
            {
                Found(issued.LeaseId, $"{told[issued.LeaseId]}, but its secret lets its holder in");
            }
        }
    }

    /// <summary>When a lease's id was made, as it says itself.</summary>
    private static DateTimeOffset Began(string lease) =>
        long.TryParse(lease.AsSpan(0, Math.Min(12, lease.Length)), NumberStyles.HexNumber, null, out var milliseconds)
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : DateTimeOffset.MaxValue;

    private static string Time(DateTimeOffset? at) => at is null ? "no time" : $"{at:HH:mm:ss.fff}";
}
