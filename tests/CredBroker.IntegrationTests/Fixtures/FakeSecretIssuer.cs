using System.Collections.Concurrent;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>
/// The seam to Vault without a Vault: makes secrets at once, keeps account of them, and fails where a test wants it to.
/// </summary>
internal sealed class FakeSecretIssuer : ISecretIssuer
{
    private readonly ConcurrentDictionary<string, bool> _live = new();
    private int _minted;

    /// <summary>What every issued secret holds somewhere: found anywhere else it has leaked.</summary>
    public string Marker { get; } = "secret-" + Guid.NewGuid().ToString("N");

    public IssuerStatus Status { get; set; } = new(true, null, TimeProvider.System.GetUtcNow());

    /// <summary>What revoking answers; confirmed unless a test says otherwise.</summary>
    public Func<Lease, RevokeOutcome> Revoke { get; set; } = _ => new RevokeOutcome.Confirmed();

    /// <summary>Waited for inside a mint.</summary>
    public Func<Task> BeforeMint { get; set; } = () => Task.CompletedTask;

    /// <summary>Vault lease ids made and not revoked.</summary>
    public ICollection<string> Live => _live.Keys;

    /// <summary>How many secrets were made, revoked since or not.</summary>
    public int Minted => _minted;

    public int Probes { get; private set; }

    public ValueTask<IssuerStatus> ProbeAsync(CancellationToken cancellationToken)
    {
        Probes++;
        return new(Status);
    }

    public ValueTask<PrepareOutcome> PrepareAsync(IssuancePlan plan, CancellationToken cancellationToken)
    {
        if (Status.Refusal is { } refusal)
        {
            return new(new PrepareOutcome.Refused(refusal));
        }

        var child =
            plan.Grant.Entry.Vault is VaultBinding.KeyValue
                ? null
                : new ChildToken(
                    new SecretText(Marker),
                    "accessor-" + plan.LeaseId,
                    TimeProvider.System.GetUtcNow() + plan.Grant.Ttl + TimeSpan.FromSeconds(30)
                );
        return new(new PrepareOutcome.Prepared(child));
    }

    public async ValueTask<MintOutcome> MintAsync(
        IssuancePlan plan,
        ChildToken? child,
        CancellationToken cancellationToken
    )
    {
        await BeforeMint();
        Interlocked.Increment(ref _minted);
        var end = TimeProvider.System.GetUtcNow() + plan.Grant.Ttl;
        var vaultLease = plan.Grant.Entry.Vault is VaultBinding.KeyValue ? null : $"vault/{plan.LeaseId}";
        if (vaultLease is not null)
        {
            _live[vaultLease] = true;
        }

        var handles = new SecretHandles(vaultLease, null, $"cb_{plan.LeaseId}");
        return plan.Grant.Entry.Vault switch
        {
            VaultBinding.Database => new MintOutcome.Minted(
                new IssuedSecret.Database(handles.PublicName, new SecretText(Marker), plan.Grant.Entry.Connection),
                handles,
                end,
                end.AddMinutes(5)
            ),
            VaultBinding.Pki pki => new MintOutcome.Minted(
                new IssuedSecret.Certificate(
                    "-----BEGIN CERTIFICATE-----",
                    ["-----BEGIN CERTIFICATE-----"],
                    "11:22",
                    pki.Mode == PkiMode.Issue ? new SecretText(Marker) : null
                ),
                handles,
                end,
                null
            ),
            VaultBinding.Token => new MintOutcome.Minted(
                new IssuedSecret.Token(new SecretText(Marker), "https://vault.test", ""),
                handles,
                end,
                null
            ),
            _ => new MintOutcome.Minted(
                new IssuedSecret.Values(new SecretText($$"""{"apiKey":"{{Marker}}","big":12345678901234567890}""")),
                handles,
                null,
                null
            ),
        };
    }

    public ValueTask<RenewOutcome> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancellationToken) =>
        new(new RenewOutcome.Renewed(TimeProvider.System.GetUtcNow() + ttl));

    public ValueTask<RevokeOutcome> RevokeAsync(Lease lease, CancellationToken cancellationToken)
    {
        var outcome = Revoke(lease);
        if (outcome is RevokeOutcome.Confirmed && lease.VaultLeaseId is not null)
        {
            _live.TryRemove(lease.VaultLeaseId, out _);
        }

        return new(outcome);
    }

    public ValueTask<RevokeOutcome> ReapAsync(Lease lease, CancellationToken cancellationToken) =>
        new(new RevokeOutcome.Confirmed());

    public ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken) =>
        new(new RevokeOutcome.Confirmed());

    public ValueTask<LeaseListing> ListLeasesAsync(CatalogueEntry entry, CancellationToken cancellationToken) =>
        new(new LeaseListing.Listed([.. _live.Keys]));

    public ValueTask<RoleListing> FindRolesAsync(
        IReadOnlyList<CatalogueEntry> known,
        CancellationToken cancellationToken
    ) => new(new RoleListing.Listed([], [], []));

    public ValueTask<LeaseLookup> LookUpLeaseAsync(string vaultLeaseId, CancellationToken cancellationToken) =>
        new(
            _live.ContainsKey(vaultLeaseId)
                ? new LeaseLookup.Found(new(vaultLeaseId, TimeProvider.System.GetUtcNow(), false))
                : new LeaseLookup.Gone()
        );

    public ValueTask<RevokeOutcome> RevokeStrayAsync(string vaultLeaseId, CancellationToken cancellationToken)
    {
        _live.TryRemove(vaultLeaseId, out _);
        return new(new RevokeOutcome.Confirmed());
    }
}
