using System.Globalization;
using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Open time boxes as people see them, and take them back: admins all of them, and approvers those that they might have
/// given. Whoever reads leases may look at all.
/// </summary>
public sealed class TimeBoxes(IBrokerStore store, ApprovalDecisions decisions, RevocationOrders orders)
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
    /// Ends a time box before its time. Where <paramref name="leases"/> says so, an order takes back what the agent (with an
    /// executor, whoever of it) holds of that credential for that task, also where the time box has ended already: an order
    /// as an admin gives it, on record before anything is looked for, and carried out without the store if need be.
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
        try
        {
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
        }
        catch (StoreUnavailableException) when (leases)
        {
            // The order is carried out all the same, and ends the time box once it is on record.
        }

        var order = leases
            ? await orders.OrderAsync(Issued(timeBox.Approval), reason, by, call, CancellationToken.None)
            : null;
        return new TakenBackTimeBox(
            order is { } given && orders.IsRecordMissing(given.Id)
                ? timeBox
                : await store.TimeBoxes.FindAsync(approvalId, CancellationToken.None) ?? timeBox,
            order?.Id
        );
    }

    /// <summary>What was issued by the approval and in its time box.</summary>
    private static LeaseSelector Issued(Approval approval)
    {
        var (decision, selector) = (
            approval.Decision,
            new LeaseSelector
            {
                Process = approval.Decision.Task.Process,
                Task = approval.Decision.Task.Id,
                Credential = approval.Decision.Request.Credential,
            }
        );
        // An executor's leases are its own, whichever of its instances redeemed.
        return approval.Executor.Length > 0
            ? selector
            : selector with
            {
                Issuer = decision.Identity.Issuer,
                Subject = decision.Identity.Subject,
                Instance = decision.Identity.Instance,
            };
    }
}
