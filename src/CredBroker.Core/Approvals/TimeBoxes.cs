using System.Globalization;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Leases;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Open time boxes as people see them, and take them back: admins all of them, and approvers those that they might have
/// given. Whoever reads leases may look at all.
/// </summary>
public sealed class TimeBoxes(
    IBrokerStore store,
    ApprovalDecisions decisions,
    LeaseRevoker revoker,
    RevocationSignal signal
)
{
    /// <summary>The longest page.</summary>
    public const int MaxPage = 100;

    private const string TakenBack = "taken-back";

    private static readonly Refusal NotFound = new(
        RefusalCode.ApprovalNotFound,
        "There is no time box of an approval with this id that you may take back."
    );
    private static readonly Refusal CursorInvalid = new(
        RefusalCode.RangeInvalid,
        "cursor must be the next of an earlier answer."
    );

    /// <summary>A page of those that are open, oldest first, and the cursor of the next.</summary>
    public async ValueTask<Checked<TimeBoxPage>> ListAsync(
        Person person,
        string? cursor,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var after = 0L;
        if (cursor is not null && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
        {
            return CursorInvalid;
        }

        var seesAll = person.Roles.Any(role => role is PersonRole.Admin or PersonRole.Auditor or PersonRole.Viewer);
        if (!seesAll && await decisions.IsGoneAsync(person, cancellationToken))
        {
            return new TimeBoxPage([], null);
        }

        var (found, now) = (new List<TimeBox>(), store.Position);
        long? next = after;
        while (next is { } from && found.Count <= limit)
        {
            (var page, next) = await store.TimeBoxes.ListOpenAsync(from, MaxPage, cancellationToken);
            found.AddRange(
                page.Where(timeBox =>
                    timeBox.IsOpenAt(now)
                    && (seesAll || ApprovalDecisions.IsNamed(timeBox.Approval, person, now.Counted))
                )
            );
        }

        return found.Count > limit
            ? new TimeBoxPage(found[..limit], found[limit - 1].Number.ToString(CultureInfo.InvariantCulture))
            : new TimeBoxPage(found, null);
    }

    /// <summary>
    /// Ends a time box before its time. Where <paramref name="leases"/> says so, what was issued in it is claimed for
    /// revocation, also of one that has ended already: no lease opens in it after its end, so that none is missed. The
    /// number is how many were claimed; their own records say when they are revoked.
    /// </summary>
    public async ValueTask<Checked<TakenBackTimeBox>> TakeBackAsync(
        Person person,
        string approvalId,
        string reason,
        bool leases,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var isAdmin = person.Roles.Contains(PersonRole.Admin);
        if (
            !Ids.IsValid(approvalId)
            || await store.TimeBoxes.FindAsync(approvalId, cancellationToken) is not { } timeBox
            || !(
                isAdmin
                || (
                    ApprovalDecisions.IsNamed(timeBox.Approval, person, store.Position.Counted)
                    && !await decisions.IsGoneAsync(person, cancellationToken)
                )
            )
        )
        {
            return NotFound;
        }

        // From here nothing stops half way: what is ended and not told would be asked for again.
        var by = AuditActor.Person(person.Issuer, person.Subject);
        await store.CommitAsync(
            new StateChange.TimeBoxEnded
            {
                ApprovalId = approvalId,
                Cause = TakenBack,
                Event = ApprovalEvents.Of(
                    new TimeBoxEnded { ApprovalId = approvalId, Reason = reason },
                    timeBox.Approval.Decision,
                    by,
                    call.TraceId
                ) with
                {
                    Reason = TakenBack,
                },
            },
            CancellationToken.None
        );
        var revoking = leases ? await RevokeLeasesAsync(approvalId, by, call) : (int?)null;
        return new TakenBackTimeBox(
            await store.TimeBoxes.FindAsync(approvalId, CancellationToken.None) ?? timeBox,
            revoking
        );
    }

    private async ValueTask<int> RevokeLeasesAsync(string approvalId, AuditActor by, CallContext call)
    {
        var (why, count) = (new RevocationReason(RevocationCause.Admin, by, null, call.TraceId), 0);
        foreach (var id in await store.TimeBoxes.ListLeasesAsync(approvalId, CancellationToken.None))
        {
            var found = await store.Leases.ListAsync(
                new()
                {
                    Selector = new() { Lease = id },
                    States = LeaseStates.Live,
                    Limit = 1,
                },
                CancellationToken.None
            );
            foreach (var lease in found.Leases)
            {
                count += await revoker.MarkAsync(lease, why, LeaseStates.Live) ? 1 : 0;
            }

            // What it was issued for cannot be read; it goes all the same.
            foreach (var lease in found.Unreadable)
            {
                count += await revoker.MarkAsync(lease, why, LeaseStates.Live) ? 1 : 0;
            }
        }

        signal.Raise();
        return count;
    }
}
