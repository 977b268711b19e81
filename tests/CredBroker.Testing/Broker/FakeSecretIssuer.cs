using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Testing.Broker;

/// <summary>
/// A Vault in memory, at its seam: it knows which secrets exist, so that a test can ask what is left. What it does next
/// can be set per call.
/// </summary>
internal sealed class FakeSecretIssuer(TimeProvider time) : ISecretIssuer
{
    private int _serial;

    /// <summary>Secrets that exist: Vault lease id → accessor.</summary>
    public ConcurrentDictionary<string, string> Alive { get; } = new();

    /// <summary>When each was minted.</summary>
    public ConcurrentDictionary<string, DateTimeOffset> MintedAt { get; } = new();

    /// <summary>Accessors of child tokens that have not been revoked.</summary>
    public ConcurrentDictionary<string, string> Tokens { get; } = new();

    public IssuerStatus Status { get; set; } = new(true, null, DateTimeOffset.UnixEpoch);

    /// <summary>Why nothing is prepared; null prepares.</summary>
    public Refusal? Refuses { get; set; }

    public Func<IssuancePlan, Task>? OnPrepare { get; set; }

    /// <summary>Runs before the secret exists.</summary>
    public Func<IssuancePlan, Task>? BeforeMint { get; set; }

    /// <summary>Runs when the secret exists, and may replace the outcome.</summary>
    public Func<IssuancePlan, MintOutcome.Minted, Task<MintOutcome>>? AfterMint { get; set; }

    /// <summary>Runs before a lease's secret is revoked.</summary>
    public Func<Lease, Task>? BeforeRevoke { get; set; }

    /// <summary>What revoking answers instead of doing it.</summary>
    public Func<Lease, RevokeOutcome>? Revoked { get; set; }

    /// <summary>While set, the backend refuses to revoke.</summary>
    public bool BackendDown { get; set; }

    public bool CanList { get; set; } = true;

    /// <summary>Whether the backend can be asked to remove what Vault does not know.</summary>
    public bool HasReaper { get; set; } = true;

    /// <summary>Users at the backend of which Vault knows nothing, by the lease that they were made for.</summary>
    public ConcurrentDictionary<string, string> Unregistered { get; } = new();

    public ValueTask<IssuerStatus> ProbeAsync(CancellationToken cancellationToken) => new(Status);

    public async ValueTask<PrepareOutcome> PrepareAsync(IssuancePlan plan, CancellationToken cancellationToken)
    {
        if (OnPrepare is { } hook)
        {
            await hook(plan);
        }

        if (Refuses is { } refusal)
        {
            return new PrepareOutcome.Refused(refusal);
        }

        if (plan.Grant.Entry.Vault is VaultBinding.KeyValue)
        {
            return new PrepareOutcome.Prepared(null);
        }

        var accessor = $"accessor-{Interlocked.Increment(ref _serial)}";
        Tokens[accessor] = plan.LeaseId;
        return new PrepareOutcome.Prepared(
            new ChildToken(
                new SecretText("token"),
                accessor,
                time.GetUtcNow() + plan.Grant.Ttl + TimeSpan.FromSeconds(30)
            )
        );
    }

    public async ValueTask<MintOutcome> MintAsync(
        IssuancePlan plan,
        ChildToken? child,
        CancellationToken cancellationToken
    )
    {
        if (BeforeMint is { } hook)
        {
            await hook(plan);
        }

        if (child is null)
        {
            var read = new MintOutcome.Minted(
                new IssuedSecret.Values(new SecretText("{}")),
                new(null, null, ""),
                null,
                null
            );
            return AfterMint is null ? read : await AfterMint(plan, read);
        }

        var id = $"database/creds/{plan.Grant.Entry.Name}/{Interlocked.Increment(ref _serial)}";
        MintedAt[id] = time.GetUtcNow();
        Alive[id] = child.Accessor;
        var minted = new MintOutcome.Minted(
            new IssuedSecret.Database($"user-{plan.LeaseId}", new SecretText("password"), null),
            new(id, null, $"user-{plan.LeaseId}"),
            null,
            time.GetUtcNow() + plan.Grant.Entry.MaxTtl
        );
        return AfterMint is null ? minted : await AfterMint(plan, minted);
    }

    /// <summary>Runs while a renewal is at Vault.</summary>
    public Func<Task>? OnRenew { get; set; }

    public async ValueTask<RenewOutcome> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancellationToken)
    {
        if (OnRenew is { } hook)
        {
            await hook();
        }

        return lease.Accessor is { } accessor && Tokens.ContainsKey(accessor)
            ? new RenewOutcome.Renewed(time.GetUtcNow() + ttl)
            : new RenewOutcome.Refused(new(RefusalCode.NotRenewable, "No token to renew."));
    }

    public async ValueTask<RevokeOutcome> RevokeAsync(Lease lease, CancellationToken cancellationToken)
    {
        if (BeforeRevoke is { } hook)
        {
            await hook(lease);
        }

        if (Revoked is { } answer)
        {
            return answer(lease);
        }

        if (BackendDown)
        {
            return new RevokeOutcome.Failed("connection refused");
        }

        if (lease.Accessor is { } accessor)
        {
            Tokens.TryRemove(accessor, out _);
        }

        if (lease.VaultLeaseId is { } id)
        {
            Alive.TryRemove(id, out _);
            return new RevokeOutcome.Confirmed();
        }

        // What hangs on the token goes with it; a mint that is under way does not.
        foreach (var (hanging, owner) in Alive)
        {
            if (owner == lease.Accessor)
            {
                Alive.TryRemove(hanging, out _);
            }
        }

        return new RevokeOutcome.Unproven();
    }

    public ValueTask<RevokeOutcome> ReapAsync(Lease lease, CancellationToken cancellationToken)
    {
        if (!HasReaper)
        {
            return new(new RevokeOutcome.Unproven());
        }

        if (BackendDown)
        {
            return new(new RevokeOutcome.Failed("connection refused"));
        }

        Unregistered.TryRemove(lease.Id, out _);
        return new(new RevokeOutcome.Confirmed());
    }

    public ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken)
    {
        Tokens.TryRemove(accessor, out _);
        return new(BackendDown ? new RevokeOutcome.Failed("connection refused") : new RevokeOutcome.Unproven());
    }

    /// <summary>Runs before Vault's leases are listed.</summary>
    public Func<CatalogueEntry, Task>? BeforeList { get; set; }

    public async ValueTask<LeaseListing> ListLeasesAsync(CatalogueEntry entry, CancellationToken cancellationToken)
    {
        if (BeforeList is { } hook)
        {
            await hook(entry);
        }

        if (Forbidden.Contains(entry.Name))
        {
            return new LeaseListing.Failed("permission denied") { IsForbidden = true };
        }

        return CanList && !Unlisted.Contains(entry.Name)
            ? new LeaseListing.Listed([
                .. Alive.Keys.Where(id => id.StartsWith($"database/creds/{entry.Name}/", StringComparison.Ordinal)),
            ])
            : new LeaseListing.NotOurs();
    }

    /// <summary>Credentials whose leases cannot be told from others'.</summary>
    public HashSet<string> Unlisted { get; } = [];

    /// <summary>Credentials whose leases this login may not list.</summary>
    public HashSet<string> Forbidden { get; } = [];

    /// <summary>Places that this login may not list.</summary>
    public List<string> ForbiddenPlaces { get; } = [];

    /// <summary>Roles of which Vault alone tells: those of secrets that no entry named. Null while it does not answer.</summary>
    public Func<string, bool>? IsToldOf { get; set; } = _ => false;

    public ValueTask<RoleListing> FindRolesAsync(
        IReadOnlyList<CatalogueEntry> known,
        CancellationToken cancellationToken
    ) =>
        new(
            IsToldOf is { } isToldOf
                ? new RoleListing.Listed(
                    [
                        .. Alive
                            .Keys.Select(id => id.Split('/')[2])
                            .Distinct()
                            .Where(isToldOf)
                            .Except(known.Select(entry => entry.Name))
                            .Select(name =>
                                known[0] with
                                {
                                    Name = name,
                                    Vault = new VaultBinding.Dynamic($"database/creds/{name}", "GET"),
                                }
                            ),
                    ],
                    [],
                    ForbiddenPlaces
                )
                : new RoleListing.Failed("no answer in time")
        );

    public ValueTask<LeaseLookup> LookUpLeaseAsync(string vaultLeaseId, CancellationToken cancellationToken) =>
        new(
            Alive.ContainsKey(vaultLeaseId)
                ? new LeaseLookup.Found(new(vaultLeaseId, MintedAt[vaultLeaseId], false))
                : new LeaseLookup.Gone()
        );

    /// <summary>What becomes of a stray's revocation, if it does not succeed.</summary>
    public RevokeOutcome? StrayOutcome { get; set; }

    /// <summary>Runs before a Vault lease is revoked by its id alone.</summary>
    public Func<string, Task>? BeforeStray { get; set; }

    public async ValueTask<RevokeOutcome> RevokeStrayAsync(string vaultLeaseId, CancellationToken cancellationToken)
    {
        if (BeforeStray is { } hook)
        {
            await hook(vaultLeaseId);
        }

        if (StrayOutcome is { } outcome)
        {
            return outcome;
        }

        Alive.TryRemove(vaultLeaseId, out _);
        return new RevokeOutcome.Confirmed();
    }
}
