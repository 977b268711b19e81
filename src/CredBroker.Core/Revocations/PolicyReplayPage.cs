using CredBroker.Core.Audit;
using CredBroker.Core.Policy;
using CredBroker.Core.State;

namespace CredBroker.Core.Revocations;

/// <summary>What a page of a replay found, and what it could not decide.</summary>
public sealed class PolicyReplayPage
{
    /// <summary>How many kinds of changes are told apart; the rest of them is counted.</summary>
    public const int MaxChanges = 1_000;

    private readonly Dictionary<PolicyReplayChange, (long Count, string Example)> _changes = [];

    /// <summary>How many records of the log were read.</summary>
    public int Scanned { get; internal set; }

    /// <summary>How many requests were decided again.</summary>
    public long Replayed { get; private set; }

    /// <summary>Of those: what policy let be, or people might have, and would be denied.</summary>
    public long NewDenials { get; private set; }

    /// <summary>Of those: what was let be, and people would be asked.</summary>
    public long NewChallenges { get; private set; }

    /// <summary>Of those: what was denied, or people were asked, and would be let be without anybody.</summary>
    public long NewAllows { get; private set; }

    /// <summary>How many were decided otherwise, or by another rule, and are told apart by nothing below.</summary>
    public long NotTold { get; private set; }

    /// <summary>Records that are damaged, or by another version of the broker, and were not decided again.</summary>
    public long Unreadable { get; internal set; }

    /// <summary>
    /// Refused calls of that time that were counted, and whose inputs nobody kept: too many for the log. Not all of them
    /// came to be decided.
    /// </summary>
    public long Counted { get; internal set; }

    /// <summary>Up to when the log was archived, if that reaches into the range: what was before it may be missing.</summary>
    public DateTimeOffset? ArchivedUntil { get; internal set; }

    /// <summary>Where the next page goes on; null where this is the last.</summary>
    public AuditCursor? Next { get; internal set; }

    /// <summary>What would be decided otherwise, or by another rule, how often, and the id of one such decision.</summary>
    public IEnumerable<(PolicyReplayChange Change, long Count, string Example)> Changes =>
        _changes.Select(change => (change.Key, change.Value.Count, change.Value.Example));

    internal void Add(DecisionRecord decision, PolicyReplayVerdict then, PolicyReplayVerdict now)
    {
        Replayed++;
        NewDenials += then.Effect != PolicyEffect.Deny && now.Effect == PolicyEffect.Deny ? 1 : 0;
        NewChallenges += then.IsLetBe && now.Effect == PolicyEffect.Challenge ? 1 : 0;
        NewAllows += now is { IsLetBe: true, IsApproved: false } && (!then.IsLetBe || then.IsApproved) ? 1 : 0;
        if ((then.Effect, then.IsApproved, then.Rule) == (now.Effect, now.IsApproved, now.Rule))
        {
            return;
        }

        var change = new PolicyReplayChange(decision.Task.Process, then, now);
        if (_changes.TryGetValue(change, out var found))
        {
            _changes[change] = (found.Count + 1, found.Example);
        }
        else if (_changes.Count < MaxChanges)
        {
            _changes.Add(change, (1, decision.Id));
        }
        else
        {
            NotTold++;
        }
    }
}

/// <summary>A kind of change.</summary>
/// <param name="Process">The process that the request named.</param>
/// <param name="Then">What policy said.</param>
/// <param name="Now">What the other policy says.</param>
public sealed record PolicyReplayChange(string Process, PolicyReplayVerdict Then, PolicyReplayVerdict Now);
