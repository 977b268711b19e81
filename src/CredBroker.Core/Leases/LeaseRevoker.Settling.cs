using System.Security.Cryptography;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Issuing;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Leases;

/// <content>
/// The step Settle: what an attempt or a sweep has come to, on record with the time of the next one.
/// </content>
public sealed partial class LeaseRevoker
{
    /// <summary>
    /// Settles a lease of which a sweep has proven that no secret exists, unless it was asked for where its secrets are
    /// not.
    /// </summary>
    internal async ValueTask ConfirmAbsentAsync(Lease lease)
    {
        if (!IsOfAnotherVault)
        {
            await ConfirmAsync(lease);
        }
    }

    /// <summary>
    /// Settles a lease of which Vault knows no secret while nobody can ask its backend: what may have been made has
    /// ended by itself, or the lease stays <c>revoking</c> until it has. Whether it is over.
    /// </summary>
    internal async ValueTask<bool> AwaitEndAsync(Lease lease)
    {
        var now = store.Position.Counted;
        var until = lease.GraceUntil ?? LastMoment(lease, lease.AccessorRevokedAt ?? now);
        var left = wait.Left(lease, until);
        if (until <= now && left <= TimeSpan.Zero)
        {
            return true;
        }

        // A wall clock that has jumped ahead has not made the time pass.
        var again = now + LookAgain;
        until = now + left > until ? now + left : until;
        await store.CommitAsync(
            new StateChange.AbsenceAwaited
            {
                LeaseId = lease.Id,
                NextAttemptAt = until < again ? until : again,
                Event = Event(new AbsenceAwaited { MayExistUntil = until }, lease, AuditActor.Broker("absence-sweep")),
            },
            CancellationToken.None
        );
        return false;
    }

    /// <summary>
    /// Puts a failed attempt on record, in plain view, with the time of the next one (after <paramref name="after"/>, or
    /// a delay that doubles, with jitter).
    /// </summary>
    internal ValueTask FailAsync(Lease lease, string error, TimeSpan? after = null, bool wasTried = true) =>
        FailAsync(lease, error, wasTried, store.Position.Counted + (after ?? Backoff(wasTried ? lease.Attempts : 0)));

    private async ValueTask FailAsync(Lease lease, string error, bool wasTried, DateTimeOffset? nextAttemptAt)
    {
        if (wasTried)
        {
            LogFailed(logger, lease.Id, lease.Attempts + 1, error);
        }

        await store.CommitAsync(
            new StateChange.RevocationFailed
            {
                LeaseId = lease.Id,
                Error = error,
                WasTried = wasTried,
                NextAttemptAt = nextAttemptAt,
                Event = Event(new RevocationFailed { Error = error }, lease, AuditActor.Broker("revocation")),
            },
            CancellationToken.None
        );
    }

    /// <summary>
    /// The same, of an attempt; where nothing was tried, it is none, and a first one that was turned away is due as it was.
    /// </summary>
    internal ValueTask FailAsync(Lease lease, RevokeOutcome.Failed failed) =>
        failed.WasTurnedAway && lease.Attempts == 0
            ? FailAsync(lease, failed.Error, wasTried: false, nextAttemptAt: null)
            : FailAsync(lease, failed.Error, wasTried: !failed.IsNotTried);

    /// <summary>
    /// Records that the accessor is revoked. Whether a secret was made all the same, <see cref="AbsenceSweep"/> finds
    /// out once Vault cannot be working on the request any more.
    /// </summary>
    private async ValueTask CommitAccessorRevokedAsync(Lease lease)
    {
        var now = store.Position.Counted;
        var revokedAt = lease.AccessorRevokedAt ?? now;
        if (lease.AccessorRevokedAt is null)
        {
            wait.Begin(lease.Id, LastMoment(lease, revokedAt) - revokedAt);
        }

        var provable = revokedAt + options.VaultRequestLimit;
        await store.CommitAsync(
            new StateChange.AccessorRevoked
            {
                LeaseId = lease.Id,
                RevokedAt = revokedAt,
                // Never at once: what is repeated here without a proof would be repeated without an end.
                NextAttemptAt = provable > now ? provable : now + options.RetryDelayLimit,
                MayExistUntil = LastMoment(lease, revokedAt),
                Event = Event(new AccessorRevoked(), lease, AuditActor.Broker("revocation")),
            },
            CancellationToken.None
        );
    }

    /// <summary>
    /// The last moment at which a secret could be used that was made at the last moment at which Vault may have worked
    /// on it: its backend ends it by itself.
    /// </summary>
    private DateTimeOffset LastMoment(Lease lease, DateTimeOffset accessorRevokedAt) =>
        accessorRevokedAt
        + options.VaultRequestLimit
        + lease.Grant.Entry.MaxTtl
        + (lease.Grant.Entry.Vault is VaultBinding.Token ? TokenMargin : TimeSpan.Zero);

    private async ValueTask ConfirmAsync(Lease lease)
    {
        var change = new StateChange.LeaseRevoked
        {
            LeaseId = lease.Id,
            Event = Event(new LeaseRevoked(), lease, AuditActor.Broker("revocation")),
        };
        if (
            await store.CommitAsync(change, CancellationToken.None) is CommitOutcome.Committed confirmed
            && lease is { Cause: { } cause, RevocationRequestedAt: { } requested }
        )
        {
            var due = cause == RevocationCause.Expiry ? lease.ExpiresAt ?? requested : requested;
            Telemetry.Revoked(RevocationReason.TextOf(cause), confirmed.At - due);
        }
    }

    /// <summary>The delay doubled per attempt up to the limit, of which between half and all is waited.</summary>
    private TimeSpan Backoff(int attempts)
    {
        var full = Math.Min(
            options.RetryDelay.TotalMilliseconds * Math.Pow(2, Math.Min(attempts, 20)),
            options.RetryDelayLimit.TotalMilliseconds
        );
        return TimeSpan.FromMilliseconds(full / 2 + RandomNumberGenerator.GetInt32((int)(full / 2) + 1));
    }
}
