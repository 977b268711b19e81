using CredBroker.Core.Identity;

namespace CredBroker.Core.Policy;

/// <summary>What a challenge rule says under <c>approval</c>, before the process that it is asked for is known.</summary>
internal sealed class ApprovalClause
{
    /// <summary>The process's owner, for an hour: where the autonomy gate alone asks, or a limit that names nobody.</summary>
    public static readonly ApprovalClause OfOwner = new()
    {
        Demand = new() { Approvers = [], ExpiresAfter = TimeSpan.FromHours(1) },
        OwnerMayApprove = true,
    };

    /// <summary>What it asks, with every approver that the document names outright.</summary>
    public required ApprovalDemand Demand { get; init; }

    /// <summary>Whether the process's owner, whoever that is, is among the approvers.</summary>
    public bool OwnerMayApprove { get; init; }

    /// <summary>Whether the process's owner is among those whom it asks later.</summary>
    public bool EscalatesToOwner { get; init; }

    /// <summary>Whether the process's owner may not approve, as a person of a group or otherwise.</summary>
    public bool NotOwner { get; init; }

    /// <summary>
    /// What is asked of whom in this process; null where too few people are left for the quorum, so that asking would be
    /// in vain: there is no owner, or one of the few named may not approve, because they are the owner or the one that
    /// asks. Whom it asks later counts, too.
    /// </summary>
    public Obligation.NeedsApproval? For(BusinessProcess process, WorkloadIdentity identity)
    {
        var owner = process.Owner is { } named ? new Approver.Person(named.Issuer, named.Subject) : null;
        var demand = Demand with
        {
            Approvers = Resolve(Demand.Approvers, OwnerMayApprove),
            Escalation =
                Demand.Escalation is { } later && Resolve(later.To, EscalatesToOwner) is { Count: > 0 } to
                    ? later with
                    {
                        To = to,
                    }
                    : null,
            NotBy = NotOwner && owner is not null ? [owner] : [],
        };
        if (demand.Approvers.Count == 0)
        {
            // Who would be asked later decides beside others, and not in the place of nobody.
            return null;
        }

        Approver[] all = [.. demand.Approvers, .. demand.Escalation?.To ?? []];
        var people = all.OfType<Approver.Person>().ToList();
        if (people.Count < all.Length)
        {
            // How many are in a group or have a role is not known here.
            return new([demand]);
        }

        var possible = people.Except(demand.NotBy).Except([new(identity.Issuer, identity.Subject)]).Count();
        return possible < demand.Quorum ? null : new([demand]);

        IReadOnlyList<Approver> Resolve(IReadOnlyList<Approver> named, bool withOwner) =>
            (process.HasOwner, owner) switch
            {
                (true, not null) when withOwner && !named.Contains(owner) => [.. named, owner],
                // Who is gone is not asked, also where the rule names them outright.
                (false, not null) => [.. named.Where(approver => approver != owner)],
                _ => named,
            };
    }
}
