using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;
using CredBroker.Core.Text;
using CredBroker.Vault.Engines;
using CredBroker.Vault.Http;

namespace CredBroker.Vault;

/// <summary>
/// Has a database remove whatever users one lease has there, whether Vault knows of them or not. A mint whose caller goes
/// away can leave a user that PostgreSQL has committed and Vault has not registered: no list shows it. The reaper is a
/// second database role, made by <c>vault setup</c>, whose creation statements remove the users whose names carry the
/// lease of the token that reads it, and make none. Its answer is the database's own.
/// </summary>
internal sealed class VaultReaper(
    ChildTokens children,
    VaultRevocation revocation,
    VaultNames names,
    VaultOptions options
)
{
    /// <summary>
    /// Confirmed after the database has answered that no user of this lease is left; unproven where there is no reaper,
    /// with the cure where there should be one. Repeatable: it makes nothing.
    /// </summary>
    public async ValueTask<RevokeOutcome> ReapAsync(
        CatalogueEntry entry,
        string leaseId,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        if (entry.Vault is not VaultBinding.Database database || !names.HasReaper(entry))
        {
            return new RevokeOutcome.Unproven();
        }

        var (child, made) = await children.CreateReaperAsync(entry, leaseId, proof, cancellationToken);
        if (child is null)
        {
            return IsMissing(made) ? Missing(entry, made) : new RevokeOutcome.Failed(made.Why);
        }

        try
        {
            var reply = await proof.SendAsync(
                new(HttpMethod.Get, VaultPaths.Reap(database)) { Token = child.Token, Timeout = options.RevokeTimeout },
                cancellationToken
            );
            return reply switch
            {
                // The name that Vault made up for nobody says which lease its statements looked for.
                VaultReply.Done { Body: var body }
                    when body.Text("username") is { } name
                        && name.StartsWith($"cb-{leaseId}_", StringComparison.Ordinal) => new RevokeOutcome.Confirmed(),
                VaultReply.Done => new RevokeOutcome.Failed(
                    $"{VaultPaths.Reap(database)} names no user after the lease: its connection is not as setup makes it"
                ),
                _ when IsMissing(reply) => Missing(entry, reply),
                _ => new RevokeOutcome.Failed(reply.Why) { IsUnanswered = reply is VaultReply.Lost },
            };
        }
        finally
        {
            // Nothing hangs on it but the record of a user that was never made.
            await revocation.RevokeAccessorAsync(child.Accessor, CancellationToken.None);
        }
    }

    /// <summary>
    /// The lease that the user was named after: the one that it was made for, even if a later one holds it.
    /// </summary>
    public static string MadeFor(Lease lease) =>
        lease.PublicName is ['c', 'b', '-', .. { Length: > 32 } rest] && rest[32] == '_' && Ids.IsValid(rest[..32])
            ? rest[..32]
            : lease.Id;

    private static RevokeOutcome.Unproven Missing(CatalogueEntry entry, VaultReply reply) =>
        new RevokeOutcome.Unproven
        {
            Cure =
                $"The role that asks the database of {entry.Name} is missing in Vault, or the broker may not use it: "
                + $"run `credbroker vault setup --apply`. {reply.Why}",
        };

    /// <summary>How Vault says that setup has not made the reaper, or not told the broker's policy of it.</summary>
    private static bool IsMissing(VaultReply reply) =>
        reply is VaultReply.Declined { Status: 403 or 404 }
        || (
            reply is VaultReply.Declined { Status: 400 } declined
            && declined.Words.Contains("unknown role", StringComparison.OrdinalIgnoreCase)
        );
}
