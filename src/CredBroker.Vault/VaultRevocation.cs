using CredBroker.Core.Issuing;
using CredBroker.Core.State;
using CredBroker.Vault.Http;
using CredBroker.Vault.Session;

namespace CredBroker.Vault;

/// <summary>
/// Revokes, and believes only what proves it: <c>sys/leases/revoke</c> with <c>sync</c> on the lease id answers after
/// the backend has let go, while <c>revoke-accessor</c> answers 204 with everything still to do.
/// </summary>
internal sealed class VaultRevocation(VaultClient client, VaultSession session, VaultOptions options)
{
    private static readonly RevokeOutcome Confirmed = new RevokeOutcome.Confirmed();

    /// <summary>
    /// What Vault does for a revocation: its lease, then the accessor. Each of the two is idempotent.
    /// </summary>
    public async ValueTask<RevokeOutcome> RevokeAsync(
        Lease lease,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        // The Vault lease first, at the backend. One that Vault does not know is gone.
        if (
            lease.VaultLeaseId is { } leaseId
            && await RevokeLeaseAsync(leaseId, proof, cancellationToken) is RevokeOutcome.Failed failed
        )
        {
            return failed;
        }

        // Then the tokens: the child, and the credential where that is a token itself.
        var accessors = new List<string>();
        foreach (var accessor in new[] { lease.Accessor, lease.CredentialAccessor }.OfType<string>())
        {
            var reply = await session.SendAsync(
                AccessorCalls.Revoke(accessor, options.CallTimeout),
                (call, cancellation) => client.RepeatableAsync(proof, call, cancellation),
                cancellationToken
            );
            if (Outcome(reply) is RevokeOutcome.Failed still)
            {
                return still;
            }

            // Of a token that is gone while its accessor is still on file, a lookup would say "permission denied".
            if (!reply.SaysTokenNotFound)
            {
                accessors.Add(accessor);
            }
        }

        return lease switch
        {
            { VaultLeaseId: not null } => Confirmed,
            { CredentialAccessor: not null } => await ConfirmGoneAsync(accessors, proof, cancellationToken),
            // A mint that was under way may still bring a secret to life; only a later sweep can tell.
            _ => new RevokeOutcome.Unproven(),
        };
    }

    /// <summary>Tells Vault to end a token. That proves nothing: its secrets are taken back afterwards.</summary>
    public async ValueTask<RevokeOutcome> RevokeAccessorAsync(string accessor, CancellationToken cancellationToken) =>
        Outcome(
            await session.SendAsync(
                AccessorCalls.Revoke(accessor, options.CallTimeout),
                client.RepeatableAsync,
                cancellationToken
            )
        );

    private static RevokeOutcome Outcome(VaultReply reply) =>
        reply is VaultReply.Done || reply.SaysInvalidAccessor || reply.SaysTokenNotFound
            ? Confirmed
            : new RevokeOutcome.Failed(reply.Why);

    /// <summary>The lease id travels in the body: in the path it would stand in every proxy's log.</summary>
    public async ValueTask<RevokeOutcome> RevokeLeaseAsync(
        string leaseId,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        var body = VaultBodies.Of(new RevokeLeaseRequest(leaseId, Sync: true), VaultJson.Default.RevokeLeaseRequest);
        var call = new VaultCall(HttpMethod.Post, "sys/leases/revoke") { Body = body, Timeout = options.RevokeTimeout };
        var reply = await session.SendAsync(
            call,
            (sent, cancellation) => client.RevokingAsync(proof, sent, cancellation),
            cancellationToken
        );
        return reply is VaultReply.Done
            ? Confirmed
            : new RevokeOutcome.Failed(reply.Why) { IsUnanswered = reply is VaultReply.Lost };
    }

    /// <summary>Whether Vault knows none of these tokens any more.</summary>
    public async ValueTask<RevokeOutcome> ConfirmGoneAsync(
        IReadOnlyList<string> accessors,
        VaultProof proof,
        CancellationToken cancellationToken
    )
    {
        foreach (var accessor in accessors)
        {
            var reply = await session.SendAsync(
                AccessorCalls.Lookup(accessor, options.CallTimeout),
                proof.SendAsync,
                cancellationToken
            );
            if (!reply.SaysInvalidAccessor)
            {
                return new RevokeOutcome.Failed(
                    reply is VaultReply.Done ? "Vault still knows a token that it was told to revoke" : reply.Why
                );
            }
        }

        return Confirmed;
    }
}
