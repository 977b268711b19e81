using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <summary>What may still be accepted after a revocation, by whom and until when: said, never hidden.</summary>
/// <param name="LeaseId">The lease; empty for those of a credential that no record knows.</param>
/// <param name="Credential">The catalogue entry; empty where it is not known either.</param>
/// <param name="What">Who may still accept it and what to do.</param>
/// <param name="Until">Until when; null where no end is known, as of a value that is to be rotated.</param>
public sealed record StillValid(string LeaseId, string Credential, string What, DateTimeOffset? Until)
{
    private const int MaxPaths = 20;

    /// <summary>What may be accepted of a lease whose record is damaged; null once it is over, and proven.</summary>
    public static StillValid? Of(UnreadableLease lease) =>
        lease switch
        {
            { State: LeaseState.Revoked, ConfirmedBy.Length: > 0 } => new(
                lease.Id,
                lease.Credential,
                Word(lease.ConfirmedBy),
                null
            ),
            { State: LeaseState.Revoked or LeaseState.Ended } => null,
            _ => new(
                lease.Id,
                lease.Credential,
                lease.LastError.Length > 0
                    ? lease.LastError
                    : "The record of this lease is damaged: what it is, and until when it is accepted, is not known.",
                null
            ),
        };

    /// <summary>What a revocation of this lease leaves behind; null when it leaves nothing.</summary>
    public static StillValid? Of(Lease lease)
    {
        var entry = lease.Grant.Entry;
        return entry.Vault switch
        {
            VaultBinding.KeyValue kv => new(
                lease.Id,
                entry.Name,
                $"The value itself cannot be revoked. Rotate {kv.Mount}/{kv.Path}.",
                null
            ),
            VaultBinding.Pki pki when lease.ExpiresAt is not null => new(
                lease.Id,
                entry.Name,
                $"A peer that does not read the CRL of {pki.Mount} "
                    + $"accepts certificate {lease.PublicName} until it ends.",
                lease.ExpiresAt
            ),
            _ when lease is { State: LeaseState.Revoked, ConfirmedBy.Length: > 0 } => new(
                lease.Id,
                entry.Name,
                Word(lease.ConfirmedBy),
                lease.GraceUntil
            ),
            _ when lease
                    is {
                        State: LeaseState.Revoking or LeaseState.Failed,
                        VaultLeaseId: null,
                        CredentialAccessor: null,
                        GraceUntil: not null
                    } => new(
                lease.Id,
                entry.Name,
                "Not proven yet: its making was cut short, and a secret that nobody was given may exist until then.",
                lease.GraceUntil
            ),
            // Where, and not what: Vault says of no lease which token it hangs on, and of no token which one made it.
            VaultBinding.Token
                when entry.MayMakeMore && lease is { State: LeaseState.Revoked, ActivatedAt: not null } => new(
                lease.Id,
                entry.Name,
                $"The token is gone. What its holder has had Vault make with it{At(entry.MakesMoreAt)} hangs on it: Vault "
                    + "revokes that afterwards, as it reaches each backend, and nobody has confirmed it here.",
                null
            ),
            VaultBinding.Database
                when entry.Connection?.AcceptsPreparedTransactions == true
                    && lease.State is LeaseState.Revoking or LeaseState.Failed => new(
                lease.Id,
                entry.Name,
                $"Not confirmed yet: {lease.PublicName} may log in. If a prepared transaction of its holds its row, an "
                    + "administrator has to roll that back (pg_prepared_xacts).",
                lease.GraceUntil
            ),
            _ when lease.State is LeaseState.Revoking or LeaseState.Failed && lease.GraceUntil is not null => new(
                lease.Id,
                entry.Name,
                "Not confirmed yet: while Vault or its backend is unreachable, the backend may accept it.",
                lease.GraceUntil
            ),
            _ when lease.State is LeaseState.Revoking or LeaseState.Failed => new(
                lease.Id,
                entry.Name,
                "Not confirmed yet: it is not known whether a secret was made, and what there is may be accepted.",
                null
            ),
            _ => null,
        };
    }

    /// <summary>What an order of everything has not searched for secrets that no record knows.</summary>
    public static StillValid Of(NotSearched place) => new("", place.Credential, place.Why, null);

    private static string At(IReadOnlyList<string>? paths) =>
        paths is null ? "" : $" (at {string.Join(", ", paths.Take(MaxPaths))}{(paths.Count > MaxPaths ? ", …" : "")})";

    private static string Word(string person) =>
        $"Confirmed by the word of {person}, not by Vault or its backend: if they are wrong, the backend may accept it.";
}
