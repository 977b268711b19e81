using CredBroker.Cel;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Policy;

/// <summary>
/// May this request run on its own? Only where (1) the process tolerates runtime action, (2) it has an owner who is not gone, (3) an
/// applied policy decides, and (4) the activity is attributable to one instance and one task. (3) holds whenever this
/// runs: without a policy, or past the step cap, nothing is allowed at all; likewise the audit store's part of (4),
/// without which nothing commits.
/// </summary>
internal sealed class AutonomyGate
{
    // One for each combination, so that a decision makes none.
    private static readonly AutonomyGate[] All =
    [
        .. Enumerable.Range(0, 8).Select(bits => new AutonomyGate((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0)),
    ];

    private AutonomyGate(bool tolerates, bool hasOwner, bool isAttributable)
    {
        Conditions =
        [
            new("process-tolerates", tolerates),
            new("owner", hasOwner),
            new("policy", true),
            new("attributable", isAttributable),
        ];
        Failed = CelValue.OfTexts([
            .. Conditions.Where(condition => !condition.Holds).Select(condition => condition.Name),
        ]);
        IsOpen = tolerates && hasOwner && isAttributable;
    }

    public IReadOnlyList<GateCondition> Conditions { get; }

    /// <summary>Names of the conditions that failed, as conditions see them.</summary>
    public CelValue Failed { get; }

    /// <summary>Whether all of them hold.</summary>
    public bool IsOpen { get; }

    public static AutonomyGate For(BusinessProcess process, WorkloadIdentity identity, AgentTask task) =>
        All[
            (process.ToleratesRuntimeAction ? 1 : 0)
                | (process.HasOwner ? 2 : 0)
                | (identity.Instance.Length > 0 && task.Id.Length > 0 ? 4 : 0)
        ];

    /// <summary>
    /// What a constrained request gets: a low-impact, reversible read may run, a high-impact step that cannot be undone
    /// may not unless a rule has people decide on it, and a person decides on the rest.
    /// </summary>
    public PolicyEffect Effect(CatalogueEntry entry, bool isReversible, bool isChallenged) =>
        (entry.Impact, entry.Access, isReversible) switch
        {
            _ when IsOpen => PolicyEffect.Allow,
            (ImpactLevel.Low, AccessKind.Read, true) => PolicyEffect.Allow,
            (ImpactLevel.High, _, false) when !isChallenged => PolicyEffect.Deny,
            _ => PolicyEffect.Challenge,
        };
}
