using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Policy.Document;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// What people say to questions. Who may, is what the rule names: a role, a group, a person; never who asked, whatever
/// token they come by, and never whom the rule excludes; whom it names to be asked later, only from then on. People are compared as (issuer, subject).
/// </summary>
public sealed class ApprovalDecisions(IBrokerStore store, AnchorCheck anchor, ApprovalNews news)
{
    // Each time somebody else has said something in between; more people than this do not agree to one question.
    internal const int Attempts = 20;

    internal static readonly Refusal NotFound = new(
        RefusalCode.ApprovalNotFound,
        "There is no request with this id that you may decide."
    );
    internal static readonly Refusal Over = new(
        RefusalCode.ApprovalOver,
        "The request is decided, taken back, or its time is over: nothing more can be said to it."
    );
    internal static readonly Refusal NotYours = new(
        RefusalCode.SelfApproval,
        "You asked for this yourself, or the rule excludes you: somebody else has to decide."
    );
    internal static readonly Refusal Gone = new(
        RefusalCode.OwnerGone,
        "You are on record as gone (credbroker owners list): somebody else has to decide."
    );
    private static readonly Refusal SaidBefore = new(
        RefusalCode.ApprovalOver,
        "You agreed before more people were asked, and that stands for what you were asked then. For the rest somebody "
            + "else has to agree."
    );
    private static readonly Refusal SaidOtherwise = new(
        RefusalCode.ApprovalOver,
        "You have agreed already, with another time box or none, and that stands."
    );
    internal static readonly Refusal OtherDigest = new(
        RefusalCode.DigestDiffers,
        "The digest is not that of this request. Load it again, and decide on what it shows."
    );

    /// <summary>Every open question that the person may decide, oldest first; none who is gone is asked.</summary>
    public async ValueTask<IReadOnlyList<Approval>> ListAsync(Person person, CancellationToken cancellationToken)
    {
        if (await IsGoneAsync(person, cancellationToken))
        {
            return [];
        }

        var now = store.Position;
        return
        [
            .. (await store.Approvals.ListOpenAsync(cancellationToken)).Where(approval =>
                approval.StateAt(now) == ApprovalState.Pending && DemandsOf(approval, person, now.Counted).Count > 0
            ),
        ];
    }

    /// <summary>One question, open or not, that the person may decide, or might have; none who is gone reads it.</summary>
    public async ValueTask<Checked<Approval>> FindAsync(
        Person person,
        string approvalId,
        CancellationToken cancellationToken
    )
    {
        if (
            await ReadAsync(approvalId, cancellationToken) is not { } approval
            || !IsNamed(approval, person, store.Position.Counted)
        )
        {
            return NotFound;
        }

        return await IsGoneAsync(person, cancellationToken) ? Gone : approval;
    }

    /// <summary>The person agrees, and gives no time box.</summary>
    public ValueTask<Checked<Approval>> AgreeAsync(
        Person person,
        string approvalId,
        string digest,
        CallContext call,
        CancellationToken cancellationToken
    ) => AgreeAsync(person, approvalId, digest, timeBox: null, call, cancellationToken);

    /// <summary>
    /// The person agrees to what has this digest, and may give a time box with it, no longer than is offered. What comes
    /// back says whether others have to agree, too. Agreeing twice is agreeing once.
    /// </summary>
    public async ValueTask<Checked<Approval>> AgreeAsync(
        Person person,
        string approvalId,
        string digest,
        TimeSpan? timeBox,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (anchor.Refusal is { } behind)
        {
            // What the store has forgotten might speak against it.
            return behind;
        }

        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var found = await FindAsync(person, approvalId, cancellationToken);
            if (!found.Passes(out var approval, out var unknown))
            {
                return unknown;
            }

            if (approval.Digest != digest)
            {
                return OtherDigest;
            }

            var now = store.Position;
            var demands = DemandsOf(approval, person, now.Counted);
            if (demands.Count == 0)
            {
                return NotYours;
            }

            if (timeBox is { } length && !(length > TimeSpan.Zero && length <= approval.TimeBoxOffered))
            {
                return NotOffered(approval.TimeBoxOffered);
            }

            if (AgreementOf(approval, person) is { } earlier)
            {
                if (earlier.TimeBox != timeBox)
                {
                    return SaidOtherwise;
                }

                // Of a demand that asks them only since then somebody else has to agree, and they have to know.
                return demands.Except(earlier.Demands).Any() ? SaidBefore : approval;
            }

            if (approval.StateAt(now) != ApprovalState.Pending)
            {
                return Over;
            }

            var (change, agreed) = Agree(approval, person, now, call, timeBox);
            var outcome = await store.CommitAsync(change, CancellationToken.None);
            switch (outcome)
            {
                case CommitOutcome.Committed { At: var at }:
                    news.Raise();
                    return agreed with { ApprovedAt = agreed.IsMet ? at : null };
                case CommitOutcome.GuardFailed { Reason: GuardFailure.WrongState }:
                    // Somebody was faster: with what they said it may be met, or over.
                    continue;
                case CommitOutcome.GuardFailed { Reason: GuardFailure.OwnerGone }:
                    return Gone;
                case CommitOutcome.GuardFailed { Reason: (GuardFailure.Revoked or GuardFailure.Held) and var reason }:
                    return GuardRefusals.Of(reason);
                default:
                    return Over;
            }
        }

        return Over;
    }

    /// <summary>The person refuses. The agent may read the reason.</summary>
    public async ValueTask<Checked<Approval>> DenyAsync(
        Person person,
        string approvalId,
        string reason,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var found = await FindAsync(person, approvalId, cancellationToken);
        if (!found.Passes(out var approval, out var unknown))
        {
            return unknown;
        }

        if (DemandsOf(approval, person, store.Position.Counted).Count == 0)
        {
            return NotYours;
        }

        var by = AuditActor.Person(person.Issuer, person.Subject);
        var outcome = await store.CommitAsync(
            new StateChange.ApprovalDenied
            {
                ApprovalId = approval.Id,
                DeniedBy = by.ToString(),
                Reason = reason,
                Event = Event(new ApprovalDenied { ApprovalId = approval.Id, Reason = reason }, approval, person, call),
            },
            CancellationToken.None
        );
        if (outcome is not CommitOutcome.Committed { At: var at })
        {
            return Over;
        }

        news.Raise();
        return approval with { State = ApprovalState.Denied, Reason = reason, ClosedAt = at, ClosedBy = by.ToString() };
    }

    /// <summary>Which of the question's demands the person may agree to, by their place; none of their own question's.</summary>
    public static IReadOnlyList<int> DemandsOf(Approval approval, Person person, DateTimeOffset counted) =>
        IsOwn(approval, person)
            ? []
            :
            [
                .. Enumerable
                    .Range(0, approval.Demands.Count)
                    .Where(place =>
                        Asks(approval, place, person, counted)
                        && !approval.Demands[place].NotBy.Any(other => Is(other, person))
                    ),
            ];

    /// <summary>Those of these demands that ask the person only because nobody has decided for so long.</summary>
    internal static IReadOnlyList<int> EscalatedOf(
        Approval approval,
        Person person,
        IReadOnlyList<int> demands,
        DateTimeOffset counted
    ) =>
        [
            .. demands.Where(place =>
                approval.IsEscalated(place, counted) && !Names(approval.Demands[place].Approvers, person)
            ),
        ];

    /// <summary>Whether a demand names the person by now, though they may be excluded.</summary>
    internal static bool IsNamed(Approval approval, Person person, DateTimeOffset counted) =>
        Enumerable.Range(0, approval.Demands.Count).Any(place => Asks(approval, place, person, counted));

    /// <summary>What the person has agreed to, once; null where they have not.</summary>
    internal static Agreement? AgreementOf(Approval approval, Person person) =>
        approval.Agreements.FirstOrDefault(agreed =>
            (agreed.Issuer, agreed.Subject) == (person.Issuer, person.Subject)
        );

    /// <summary>The person's agreement to a question as it stands, and the question with it.</summary>
    internal static (StateChange.ApprovalAgreed Change, Approval After) Agree(
        Approval approval,
        Person person,
        StorePosition now,
        CallContext call,
        TimeSpan? timeBox = null,
        GroupDecision? group = null,
        int wordAbout = 1
    )
    {
        var demands = DemandsOf(approval, person, now.Counted);
        var escalated = EscalatedOf(approval, person, demands, now.Counted);
        var agreement = new Agreement(person.Issuer, person.Subject, demands, now.UtcNow) { TimeBox = timeBox };
        var agreed = approval with { Agreements = [.. approval.Agreements, agreement] };
        return (
            new()
            {
                ApprovalId = approval.Id,
                Digest = approval.Digest,
                Agreement = agreement,
                Expected = approval.Agreements.Count,
                Completes = agreed.IsMet,
                Escalated = escalated,
                WordAbout = wordAbout,
                Event = Event(
                    new ApprovalAgreed
                    {
                        ApprovalId = approval.Id,
                        Digest = approval.Digest,
                        Demands = demands,
                        Escalated = escalated,
                        TimeBox = timeBox,
                        IsApproved = agreed.IsMet,
                        Group = group,
                    },
                    approval,
                    person,
                    call
                ),
            },
            agreed with
            {
                State = agreed.IsMet ? ApprovalState.Approved : ApprovalState.Pending,
            }
        );
    }

    private static Refusal NotOffered(TimeSpan? offered) =>
        new(
            RefusalCode.TimeBoxNotOffered,
            offered is { } most
                ? $"The time box may be {PolicyDuration.Format(most)} at most: agree with a shorter one, or without."
                : "No time box is offered for this request: agree without one, and people are asked each time."
        );

    private static bool IsOwn(Approval approval, Person person) =>
        (approval.Decision.Identity.Issuer, approval.Decision.Identity.Subject) == (person.Issuer, person.Subject);

    // Whoever agreed because more people were asked was asked, whatever a clock that fell back says of that moment since.
    private static bool Asks(Approval approval, int place, Person person, DateTimeOffset counted) =>
        Names(approval.ApproversOf(place, counted), person)
        || (
            approval.Demands[place].Escalation is { To: var to }
            && AgreementOf(approval, person)?.Demands.Contains(place) == true
            && Names(to, person)
        );

    private static bool Names(IReadOnlyList<Approver> approvers, Person person) =>
        approvers.Any(approver =>
            approver switch
            {
                Approver.Role role => person.Roles.Any(held =>
                    string.Equals(held.ToString(), role.Name, StringComparison.OrdinalIgnoreCase)
                ),
                Approver.Group group => person.Groups.Contains(group.Name, StringComparer.Ordinal),
                Approver.Person named => Is(named, person),
                _ => false,
            }
        );

    private static bool Is(Approver.Person named, Person person) =>
        (named.Issuer, named.Subject) == (person.Issuer, person.Subject);

    /// <summary>Whether the person is on record as an owner who is gone: they are asked nothing and decide nothing.</summary>
    internal async ValueTask<bool> IsGoneAsync(Person person, CancellationToken cancellationToken) =>
        store.Position.Owners > 0
        && (await store.Owners.ListRetiredAsync(cancellationToken)).Any(owner =>
            (owner.Issuer, owner.Subject) == (person.Issuer, person.Subject)
        );

    internal async ValueTask<Approval?> ReadAsync(string approvalId, CancellationToken cancellationToken) =>
        Ids.IsValid(approvalId) ? await store.Approvals.FindAsync(approvalId, cancellationToken) : null;

    internal static AuditEvent Event(AuditFact what, Approval approval, Person person, CallContext call) =>
        ApprovalEvents.Of(what, approval.Decision, AuditActor.Person(person.Issuer, person.Subject), call.TraceId);
}
