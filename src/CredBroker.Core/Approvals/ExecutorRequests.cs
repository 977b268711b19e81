using CredBroker.Core.Callers;
using CredBroker.Core.Identity;
using CredBroker.Core.PolicyVersions;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Approvals;

/// <summary>
/// What people have approved and left to another agent, as that agent finds it. Whom policy admits now as the executor
/// sees it, and can redeem it; for anyone else, the one that asked included, the list is empty.
/// </summary>
public sealed class ExecutorRequests(
    CallerVerification callers,
    PolicyControl policy,
    IBrokerStore store,
    TimeProvider time
)
{
    /// <summary>The longest page.</summary>
    public const int MaxPage = 50;

    private const int LooksPerMinute = 60;

    private static readonly Refusal CursorInvalid = new(
        RefusalCode.RangeInvalid,
        "cursor must be the next of an earlier answer."
    );

    private readonly CallerBudget _looks = new(LooksPerMinute, time);

    /// <summary>A page of what the caller may redeem now, oldest first.</summary>
    /// <param name="proof">Who asks.</param>
    /// <param name="after">The last question of the page before; null for the first page.</param>
    /// <param name="limit">How many at most; from 1 to <see cref="MaxPage"/>.</param>
    /// <param name="call">Where the call came from.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<Checked<ExecutorPage>> ListAsync(
        IdentityProof proof,
        string? after,
        int limit,
        CallContext call,
        CancellationToken cancellationToken
    )
    {
        var verification = await callers.VerifyAsync(proof, call, cancellationToken);
        if (verification is not VerificationOutcome.Verified { Identity: var identity })
        {
            return ((VerificationOutcome.Refused)verification).Refusal;
        }

        if (policy.Current is not { Set: var set })
        {
            return PolicyControl.NotInForce;
        }

        var roles = set.ExecutorIn(identity);
        if (roles.Count == 0)
        {
            return new ExecutorPage([], null);
        }

        // Each look reads all that is approved.
        if (_looks.Take(identity) is { } wait)
        {
            return new Refusal(
                RefusalCode.Overloaded,
                $"This workload has looked {LooksPerMinute} times within a minute. Look again later.",
                wait
            );
        }

        Approval? last = null;
        if (after is not null)
        {
            last = Ids.IsValid(after) ? await store.Approvals.FindAsync(after, cancellationToken) : null;
            if (last is null || !IsLeftTo(last, roles))
            {
                return CursorInvalid;
            }
        }

        var now = store.Position;
        var found = (await store.Approvals.ListApprovedAsync(cancellationToken))
            .Where(approval => approval.StateAt(now) == ApprovalState.Approved && IsLeftTo(approval, roles))
            .OrderBy(approval => approval.AskedAt)
            .ThenBy(approval => approval.Id, StringComparer.Ordinal)
            .Where(approval => last is null || IsAfter(approval, last))
            .Take(limit + 1)
            .ToList();
        return found.Count > limit
            ? new ExecutorPage(found[..limit], found[limit - 1].Id)
            : new ExecutorPage(found, null);
    }

    private static bool IsLeftTo(Approval approval, IReadOnlyDictionary<string, string> roles) =>
        approval.Executor.Length > 0
        && roles.TryGetValue(approval.Decision.Task.Process, out var agent)
        && agent == approval.Executor;

    private static bool IsAfter(Approval approval, Approval last) =>
        approval.AskedAt > last.AskedAt
        || (approval.AskedAt == last.AskedAt && string.CompareOrdinal(approval.Id, last.Id) > 0);
}
