using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Identity;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// What people say to several questions at once, each by the digest that they saw. All of them are decided in one
/// transaction, or none: whatever refuses one of them, alone or there, refuses the whole, and says which one it is.
/// </summary>
public sealed class GroupDecisions(
    IBrokerStore store,
    AnchorCheck anchor,
    ApprovalNews news,
    ApprovalDecisions decisions
)
{
    private static readonly Refusal DecidedAlone = new(
        RefusalCode.DecidedAlone,
        "It is decided alone, by its own id: what it is for cannot be undone, or is of high impact."
    );
    private static readonly Refusal NotOneGroup = new(
        RefusalCode.NotOneGroup,
        "It is not about the same as the first: the process, the credential, the tool, or what is asked of whom differs."
    );
    private static readonly Refusal SaidAlready = new(
        RefusalCode.ApprovalOver,
        "You have agreed to it already. Load the group again, and decide on what is left."
    );

    /// <summary>
    /// What waits for the person as groups, and what stands alone: what they have agreed to already, too, as it is others'
    /// word that it waits for.
    /// </summary>
    public static (IReadOnlyList<ApprovalGroup>? Groups, IReadOnlyList<Approval> Alone) Group(
        IReadOnlyList<Approval> open,
        Person person
    )
    {
        var (groups, _) = ApprovalGroup.Of([
            .. open.Where(approval => ApprovalDecisions.AgreementOf(approval, person) is null),
        ]);
        var grouped = groups.SelectMany(group => group.Requests).Select(approval => approval.Id).ToHashSet();
        return (groups, [.. open.Where(approval => !grouped.Contains(approval.Id))]);
    }

    /// <summary>
    /// The person agrees to all of these. Agreeing twice is agreeing once, where it is the same group.
    /// </summary>
    public async ValueTask<Checked<ApprovalGroup>> AgreeAsync(
        Person person,
        IReadOnlyList<ApprovalSeen> seen,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (anchor.Refusal is { } behind)
        {
            // What the store has forgotten might speak against it.
            return behind;
        }

        for (var attempt = 0; attempt < ApprovalDecisions.Attempts; attempt++)
        {
            var read = await ReadAsync(person, seen, cancellationToken);
            if (!read.Passes(out var group, out var refusal))
            {
                return refusal;
            }

            var said = group
                .Requests.Where(approval => ApprovalDecisions.AgreementOf(approval, person) is not null)
                .ToList();
            if (said.Count == group.Requests.Count)
            {
                return group;
            }

            var now = store.Position;
            var over = group.Requests.FirstOrDefault(approval => approval.StateAt(now) != ApprovalState.Pending);
            if ((over ?? said.FirstOrDefault()) is { } refused)
            {
                return Of(refused, over is null ? SaidAlready : ApprovalDecisions.Over);
            }

            var answers = group
                .Requests.Select(
                    (approval, place) =>
                        ApprovalDecisions.Agree(
                            approval,
                            person,
                            now,
                            call,
                            group: Mark(group),
                            wordAbout: WordAbout(group, place)
                        )
                )
                .ToList();
            var outcome = await store.CommitAsync(
                new StateChange.All([.. answers.Select(answer => answer.Change)]),
                CancellationToken.None
            );
            if (outcome is CommitOutcome.Committed { At: var at })
            {
                news.Raise();
                return group with
                {
                    Requests =
                    [
                        .. answers.Select(answer =>
                            answer.After with
                            {
                                ApprovedAt = answer.After.State == ApprovalState.Approved ? at : null,
                            }
                        ),
                    ],
                };
            }

            // Somebody was faster: with what they said one of them may be met, or over.
            if (outcome is not CommitOutcome.GuardFailed { Reason: GuardFailure.WrongState })
            {
                return WhyNot(group, outcome);
            }
        }

        return ApprovalDecisions.Over;
    }

    /// <summary>The person refuses all of these. Each agent may read the reason.</summary>
    public async ValueTask<Checked<ApprovalGroup>> DenyAsync(
        Person person,
        IReadOnlyList<ApprovalSeen> seen,
        string reason,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var read = await ReadAsync(person, seen, cancellationToken);
        if (!read.Passes(out var group, out var refusal))
        {
            return refusal;
        }

        var by = AuditActor.Person(person.Issuer, person.Subject);
        var outcome = await store.CommitAsync(
            new StateChange.All([
                .. group.Requests.Select(
                    (approval, place) =>
                        new StateChange.ApprovalDenied
                        {
                            ApprovalId = approval.Id,
                            DeniedBy = by.ToString(),
                            Reason = reason,
                            WordAbout = WordAbout(group, place),
                            Event = ApprovalDecisions.Event(
                                new ApprovalDenied
                                {
                                    ApprovalId = approval.Id,
                                    Reason = reason,
                                    Group = Mark(group),
                                },
                                approval,
                                person,
                                call
                            ),
                        }
                ),
            ]),
            CancellationToken.None
        );
        if (outcome is not CommitOutcome.Committed { At: var at })
        {
            return WhyNot(group, outcome);
        }

        news.Raise();
        return group with
        {
            Requests =
            [
                .. group.Requests.Select(approval =>
                    approval with
                    {
                        State = ApprovalState.Denied,
                        Reason = reason,
                        ClosedAt = at,
                        ClosedBy = by.ToString(),
                    }
                ),
            ],
        };
    }

    /// <summary>The questions as they stand: each one that the person saw, may decide, and may decide with the others.</summary>
    private async ValueTask<Checked<ApprovalGroup>> ReadAsync(
        Person person,
        IReadOnlyList<ApprovalSeen> seen,
        CancellationToken cancellationToken
    )
    {
        if (FaultOf(seen) is { } fault)
        {
            return new Refusal(RefusalCode.FieldInvalid, fault);
        }

        if (await decisions.IsGoneAsync(person, cancellationToken))
        {
            return ApprovalDecisions.Gone;
        }

        var found = new List<Approval>(seen.Count);
        foreach (var named in seen)
        {
            var approval = await decisions.ReadAsync(named.ApprovalId, cancellationToken);
            var counted = store.Position.Counted;
            if (approval is null || !ApprovalDecisions.IsNamed(approval, person, counted))
            {
                return Of(named.ApprovalId, ApprovalDecisions.NotFound);
            }

            if (WhyNot(approval, named, person, counted) is { } refusal)
            {
                return Of(approval, refusal);
            }

            found.Add(approval);
        }

        var key = ApprovalGroup.KeyOf(found[0]);
        return found.Find(approval => ApprovalGroup.KeyOf(approval) != key) is { } other
            ? Of(other, NotOneGroup)
            : ApprovalGroup.One(found);
    }

    private static Refusal? WhyNot(Approval approval, ApprovalSeen named, Person person, DateTimeOffset counted)
    {
        if (approval.Digest != named.Digest)
        {
            return ApprovalDecisions.OtherDigest;
        }

        if (ApprovalDecisions.DemandsOf(approval, person, counted).Count == 0)
        {
            return ApprovalDecisions.NotYours;
        }

        return ApprovalGroup.StandsAlone(approval) ? DecidedAlone : null;
    }

    private static string? FaultOf(IReadOnlyList<ApprovalSeen> seen)
    {
        if (seen.Count is 0 or > ApprovalGroup.MaxRequests)
        {
            return $"requests must name 1 to {ApprovalGroup.MaxRequests} requests.";
        }

        if (!seen.All(named => Ids.IsValid(named.ApprovalId)))
        {
            return "requests must name each by its approvalId, 32 hexadecimal digits.";
        }

        return seen.DistinctBy(named => named.ApprovalId, StringComparer.Ordinal).Count() < seen.Count
            ? "requests must name each request once."
            : null;
    }

    // They are in the order in which they were asked, so that the last is what the person can have read shortest.
    private static int WordAbout(ApprovalGroup group, int place) =>
        place == group.Requests.Count - 1 ? group.Requests.Count : 0;

    private static GroupDecision Mark(ApprovalGroup group) => new(group.Digest, group.Requests.Count);

    private static Refusal WhyNot(ApprovalGroup group, CommitOutcome outcome) =>
        outcome switch
        {
            CommitOutcome.GuardFailed { Reason: GuardFailure.OwnerGone } => ApprovalDecisions.Gone,
            CommitOutcome.GuardFailed { Reason: (GuardFailure.Revoked or GuardFailure.Held) and var reason } failed =>
                Of(group.Requests[failed.Place], GuardRefusals.Of(reason)),
            CommitOutcome.GuardFailed failed => Of(group.Requests[failed.Place], ApprovalDecisions.Over),
            _ => ApprovalDecisions.Over,
        };

    private static Refusal Of(Approval approval, Refusal refusal) => Of(approval.Id, refusal);

    private static Refusal Of(string approvalId, Refusal refusal) =>
        refusal with
        {
            Detail = $"Nothing was decided, because of request {approvalId}. {refusal.Detail}",
        };
}
