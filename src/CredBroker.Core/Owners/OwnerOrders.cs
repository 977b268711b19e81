using CredBroker.Core.Audit;
using CredBroker.Core.Audit.Events;
using CredBroker.Core.Policy;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Readiness;
using CredBroker.Core.Requests;
using CredBroker.Core.Revocations;
using CredBroker.Core.State;

namespace CredBroker.Core.Owners;

/// <summary>
/// Owners who go and come back, as admins say it. From the commit on nobody answers for the processes of one who is gone,
/// at every broker: what was decided before and is not open yet is decided anew. Where the process says so, what its
/// agents hold is revoked by orders in the same commit. Policy names the next owner, in another version.
/// </summary>
public sealed class OwnerOrders(
    IBrokerStore store,
    PolicyControl policy,
    RevocationOrders revocations,
    AnchorCheck anchor
)
{
    /// <summary>How many live leases are listed when an owner goes.</summary>
    public const int MaxListed = 1_000;

    // Each time another policy version came in between.
    private const int Attempts = 5;

    private static readonly Refusal NotRetired = new(
        RefusalCode.OwnerNotRetired,
        "Nobody of this issuer and subject is on record as gone."
    );
    private static readonly Refusal Themselves = new(
        RefusalCode.OwnerGone,
        "You are on record as gone (credbroker owners list) and cannot take that back yourself: another admin has to."
    );
    private static readonly Refusal TooMany = new(
        RefusalCode.TooManyOwners,
        $"{OwnerRetirement.Max} people are on record as gone, and there may be no more."
    );
    private static readonly Refusal PolicyMoves = new(
        RefusalCode.PolicyChanging,
        "Policy is changing. Try again in a moment.",
        TimeSpan.FromSeconds(1)
    );

    /// <summary>Everybody who is gone, the newest first.</summary>
    public ValueTask<IReadOnlyList<OwnerRetirement>> ListAsync(CancellationToken cancellationToken) =>
        store.Owners.ListRetiredAsync(cancellationToken);

    /// <summary>The processes of which policy says that the person answers for them, by name.</summary>
    public IReadOnlyList<BusinessProcess> ProcessesOf(string issuer, string subject) =>
        [
            .. (policy.Current?.Set.Processes.Values ?? [])
                .Where(process => process.Owner is { } owner && (owner.Issuer, owner.Subject) == (issuer, subject))
                .OrderBy(process => process.Name, StringComparer.Ordinal),
        ];

    /// <summary>
    /// The person is gone. Saying so twice is saying it once; what is to be revoked with them and lives on is ordered
    /// again: policy said so later, or it was given since.
    /// </summary>
    public async ValueTask<Checked<OwnerGone>> RetireAsync(
        string issuer,
        string subject,
        string reason,
        AuditActor by,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            // What they answer for is looked up in the newest version, which the commit compares.
            await policy.RefreshAsync(cancellationToken);
            var processes = ProcessesOf(issuer, subject);
            var owner = new OwnerRetirement
            {
                Issuer = issuer,
                Subject = subject,
                Reason = reason,
                RetiredBy = by.ToString(),
                RetiredAt = store.Position.UtcNow,
            };
            var orders = processes
                .Where(process => process.RevokesWhenOwnerGoes)
                .Select(process => revocations.Prepare(new() { Process = process.Name }, reason, by, call))
                .ToList();
            var outcome = await store.CommitAsync(
                new StateChange.All([
                    new StateChange.OwnerRetired
                    {
                        Owner = owner,
                        PolicyVersion = policy.Current?.Version ?? 0,
                        Event = new()
                        {
                            What = new OwnerRetired
                            {
                                Issuer = issuer,
                                Subject = subject,
                                Reason = reason,
                                Processes = [.. processes.Select(process => process.Name)],
                            },
                            Actor = by,
                            TraceId = call.TraceId,
                        },
                    },
                    .. orders,
                ]),
                CancellationToken.None
            );
            switch (outcome)
            {
                case CommitOutcome.Committed { At: var at }:
                    revocations.Ordered();
                    await policy.RefreshAsync(CancellationToken.None);
                    return await GoneAsync(
                        owner with
                        {
                            RetiredAt = at,
                        },
                        [.. orders.Select(order => order.Order.Id)],
                        cancellationToken
                    );
                case CommitOutcome.GuardFailed { Reason: GuardFailure.WrongState }:
                    if (await FindAsync(issuer, subject, cancellationToken) is { } already)
                    {
                        if (await OrderAgainAsync(orders, cancellationToken) is not { } again)
                        {
                            continue;
                        }

                        return (await GoneAsync(already, again, cancellationToken)) with
                        {
                            IsAlready = true,
                        };
                    }

                    // Back by now: the word of who says that they are gone is newer.
                    continue;
                case CommitOutcome.GuardFailed { Reason: GuardFailure.TooManyOwners }:
                    return TooMany;
                default:
                    continue;
            }
        }

        return PolicyMoves;
    }

    /// <summary>
    /// The person is back: what policy says of their processes counts again. Nobody says it of themselves. In a store that is behind its anchor nobody
    /// comes back: what it has forgotten might speak against it.
    /// </summary>
    public async ValueTask<Checked<OwnerRetirement>> ReinstateAsync(
        string issuer,
        string subject,
        string reason,
        AuditActor by,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        if (anchor.Refusal is { } behind)
        {
            return behind;
        }

        if (await FindAsync(issuer, subject, cancellationToken) is not { } owner)
        {
            return NotRetired;
        }

        if ((by.Issuer, by.Subject) == (issuer, subject))
        {
            return Themselves;
        }

        var outcome = await store.CommitAsync(
            new StateChange.OwnerReinstated
            {
                Issuer = issuer,
                Subject = subject,
                ReinstatedBy = by.ToString(),
                Reason = reason,
                Event = new()
                {
                    What = new OwnerReinstated
                    {
                        Issuer = issuer,
                        Subject = subject,
                        Reason = reason,
                    },
                    Actor = by,
                    TraceId = call.TraceId,
                },
            },
            CancellationToken.None
        );
        if (outcome is not CommitOutcome.Committed)
        {
            return NotRetired;
        }

        await policy.RefreshAsync(CancellationToken.None);
        return owner;
    }

    /// <summary>Orders what still lives of it, and says which orders these are; null where they were not taken.</summary>
    private async ValueTask<IReadOnlyList<string>?> OrderAgainAsync(
        IEnumerable<StateChange.RevocationOrdered> orders,
        CancellationToken cancellationToken
    )
    {
        var due = new List<StateChange.RevocationOrdered>();
        foreach (var order in orders)
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    Selector = order.Order.Selector,
                    States = LeaseStates.Live,
                    Limit = 1,
                },
                cancellationToken
            );
            if (page.Leases.Count > 0)
            {
                due.Add(order);
            }
        }

        if (due.Count == 0)
        {
            return [];
        }

        if (
            await store.CommitAsync(new StateChange.All([.. due]), CancellationToken.None)
            is not CommitOutcome.Committed
        )
        {
            return null;
        }

        revocations.Ordered();
        return [.. due.Select(order => order.Order.Id)];
    }

    private async ValueTask<OwnerRetirement?> FindAsync(
        string issuer,
        string subject,
        CancellationToken cancellationToken
    ) =>
        (await store.Owners.ListRetiredAsync(cancellationToken)).FirstOrDefault(owner =>
            (owner.Issuer, owner.Subject) == (issuer, subject)
        );

    private async ValueTask<OwnerGone> GoneAsync(
        OwnerRetirement owner,
        IReadOnlyList<string> orders,
        CancellationToken cancellationToken
    )
    {
        var processes = ProcessesOf(owner.Issuer, owner.Subject);
        var leases = new List<Lease>();
        var isCut = false;
        foreach (var process in processes)
        {
            var page = await store.Leases.ListAsync(
                new()
                {
                    Selector = new() { Process = process.Name },
                    States = LeaseStates.NotOver,
                    Limit = MaxListed,
                },
                cancellationToken
            );
            leases.AddRange(page.Leases);
            isCut |= page.Next is not null || leases.Count > MaxListed;
            if (isCut)
            {
                break;
            }
        }

        return new(owner, processes, [.. leases.Take(MaxListed)], isCut, orders);
    }
}

/// <summary>An owner who is gone, and what that concerns.</summary>
/// <param name="Owner">Who, and why.</param>
/// <param name="Processes">The processes that name them as owner.</param>
/// <param name="Leases">What their agents hold, those that are being revoked included.</param>
/// <param name="IsCut">Whether there are more leases than are listed.</param>
/// <param name="Orders">The revocation orders that came with it.</param>
public sealed record OwnerGone(
    OwnerRetirement Owner,
    IReadOnlyList<BusinessProcess> Processes,
    IReadOnlyList<Lease> Leases,
    bool IsCut,
    IReadOnlyList<string> Orders
)
{
    /// <summary>Whether they were on record as gone before this was said.</summary>
    public bool IsAlready { get; init; }
}
