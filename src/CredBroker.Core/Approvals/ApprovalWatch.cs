using System.Runtime.CompilerServices;
using CredBroker.Core.Identity;
using CredBroker.Core.State;

namespace CredBroker.Core.Approvals;

/// <summary>
/// Questions as they change, for people who look on: each sees what <see cref="ApprovalDecisions.FindAsync"/> would show
/// them, and nothing else. A hint to look: of what changes twice in a moment, the newest is told.
/// </summary>
public sealed class ApprovalWatch(IBrokerStore store, ApprovalDecisions decisions, ApprovalNews news, TimeProvider time)
{
    /// <summary>How long nothing is said before it is said that there is nothing.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>How long one may look on before they have to prove again who they are, however long their token holds.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private const int AtOnce = 100;
    private static readonly TimeSpan EachSecond = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What was changed after this number and all that changes from now on; without a number, what is open comes first.
    /// Null says that there is nothing, at the beginning and now and then. Ends with the person's token.
    /// </summary>
    public async IAsyncEnumerable<Approval?> FollowAsync(
        Person person,
        long? after,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        // Before the list, so that what changes meanwhile comes again rather than not at all.
        var newest = store.Position.Approvals;
        var seen = after is { } known && known <= newest ? known : newest;
        if (seen != after)
        {
            // A number that the store has not reached is another's, or of before it was put back.
            foreach (var open in await decisions.ListAsync(person, cancellationToken))
            {
                yield return open;
            }
        }

        yield return null;
        var said = time.GetTimestamp();
        while (!IsOver(person, began))
        {
            // Taken before the look, so that what happens in between wakes.
            var next = news.Next;
            while (store.Position.Approvals is var position && seen < position)
            {
                var (changed, last) = await store.Approvals.ListChangedAsync(seen, AtOnce, cancellationToken);
                var named = changed
                    .Where(approval => ApprovalDecisions.IsNamed(approval, person, store.Position.Counted))
                    .ToList();
                // Who is gone is told nothing, from then on.
                if (named.Count > 0 && await decisions.IsGoneAsync(person, cancellationToken))
                {
                    named.Clear();
                }

                foreach (var approval in named)
                {
                    yield return approval;
                    said = time.GetTimestamp();
                }

                // What left the store meanwhile is not waited for.
                seen = last > seen ? last : position;
            }

            if (time.GetElapsedTime(said) >= Heartbeat)
            {
                yield return null;
                said = time.GetTimestamp();
            }

            await Task.WhenAny(next, Task.Delay(EachSecond, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    // By whichever clock is later.
    private bool IsOver(Person person, long began) =>
        time.GetElapsedTime(began) >= Longest
        || time.GetUtcNow() >= person.ProofExpiresAt
        || store.Position.Counted >= person.ProofExpiresAt;
}
