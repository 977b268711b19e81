using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Vault.Engines;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault;

/// <summary>
/// Extends the child token that a secret hangs on, and a token credential after it. The secret's own end at its backend
/// bounds what is promised.
/// </summary>
internal sealed class VaultRenewal(VaultClient client, VaultSession session, VaultOptions options, TimeProvider time)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    public async ValueTask<RenewOutcome> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancellationToken)
    {
        if (lease.Accessor is not { } accessor || lease.Grant.Entry.Vault is var vault && !vault.IsRenewable)
        {
            return new RenewOutcome.Refused(VaultRefusals.NotRenewable);
        }

        var now = time.GetUtcNow();
        if (await session.EnsureUntilAsync(now + ChildTokens.LifeFor(ttl), cancellationToken) is { } unable)
        {
            return new RenewOutcome.Refused(unable);
        }

        var (childEnd, refusal) = await RenewTokenAsync(accessor, ChildTokens.LifeFor(ttl), cancellationToken);
        if (refusal is not null)
        {
            return new RenewOutcome.Refused(refusal);
        }

        var end = Min(now + ttl, childEnd - Second);
        if (vault is VaultBinding.Token)
        {
            if (lease.CredentialAccessor is not { } credential)
            {
                return new RenewOutcome.Refused(VaultRefusals.NotRenewable);
            }

            (var credentialEnd, refusal) = await RenewTokenAsync(credential, ttl, cancellationToken);
            end = Min(end, credentialEnd);
        }
        else if (lease.GraceUntil is { } backendEnd)
        {
            // Vault's lease ends with its role's TTL, however long the child token lives.
            end = Min(end, backendEnd);
        }

        if (refusal is not null)
        {
            return new RenewOutcome.Refused(refusal);
        }

        return end <= now ? new RenewOutcome.Refused(VaultRefusals.LifeUsedUp) : new RenewOutcome.Renewed(end);
    }

    /// <summary>
    /// Sent once: should the answer get lost, the token lives longer than is recorded, and the broker still ends the
    /// lease when it said.
    /// </summary>
    private async ValueTask<(DateTimeOffset EndsAt, Refusal? Refusal)> RenewTokenAsync(
        string accessor,
        TimeSpan ttl,
        CancellationToken cancellationToken
    )
    {
        var asked = time.GetUtcNow();
        var reply = await session.SendAsync(
            AccessorCalls.Renew(accessor, ttl, options.CallTimeout),
            client.OnceAsync,
            cancellationToken
        );
        return reply switch
        {
            VaultReply.Done { Body.Auth: { LeaseDuration: > 0 } auth } => (
                asked + TimeSpan.FromSeconds(auth.LeaseDuration),
                null
            ),
            VaultReply.Done => (asked, VaultRefusals.LifeUsedUp),
            { SaysInvalidAccessor: true } => (asked, VaultRefusals.LifeUsedUp),
            VaultReply.Declined { Status: 400 } => (asked, VaultRefusals.NotRenewable),
            _ => (asked, VaultRefusals.For(reply)),
        };
    }

    private static DateTimeOffset Min(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
