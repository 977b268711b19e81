using CredBroker.Core.Policy;

namespace CredBroker.Core.State;

/// <summary>
/// A limit as it counts one request: the limit, and under which name the store counts for it. The name depends on what
/// the limit counts together and on nothing else of it, so that what was counted stays counted when a new policy
/// version changes a number or the limit's id.
/// </summary>
/// <param name="Limit">The limit.</param>
/// <param name="Key">What is counted together, for leases.</param>
public sealed record LimitUse(PolicyLimit Limit, string Key)
{
    /// <summary>The bounds that people let this one request pass: it counts, and is not refused by them.</summary>
    public IReadOnlyList<LimitKind> Passed { get; init; } = [];

    /// <summary>The same, for denials.</summary>
    public string DeniedKey => $"denied.{Key}";

    /// <summary>What binds a lease that would stand on this decision, and counts its denial.</summary>
    public static IReadOnlyList<LimitUse> Of(DecisionRecord decision) =>
        decision.Verdict.Limits.Count == 0
            ? []
            :
            [
                .. decision.Verdict.Limits.Select(limit => new LimitUse(limit, KeyOf(limit.Per, decision))
                {
                    Passed = decision.Approval is null ? [] : LimitDemands.PassedIn(decision.Verdict, limit),
                }),
            ];

    /// <summary>
    /// The one instance that asked, as a hold names it. Where the issuer's settings give it no instance, it is the
    /// token's subject.
    /// </summary>
    public static LeaseSelector Instance(DecisionRecord decision) =>
        decision.Identity is { Instance.Length: > 0 } identity
            ? new()
            {
                Issuer = identity.Issuer,
                Workload = identity.Workload,
                Instance = identity.Instance,
            }
            : new()
            {
                Issuer = decision.Identity.Issuer,
                Subject = decision.Identity.Subject,
                Instance = "",
            };

    private static string KeyOf(LimitScope per, DecisionRecord decision)
    {
        var owner = TaskOwner.Of(decision.Identity);
        string[] parts = per switch
        {
            LimitScope.Instance => [owner.Issuer, owner.Workload, decision.Identity.Instance],
            LimitScope.Workload => [owner.Issuer, owner.Workload],
            LimitScope.Task => [decision.Task.Process, decision.Task.Id],
            LimitScope.Process => [decision.Task.Process],
            LimitScope.Credential => [decision.Request.Credential],
            _ => throw new InvalidOperationException($"Nothing is known of {per}."),
        };
        // A digest: names are long and come from tokens, and no two different ones share it.
        return $"{per}.{TextDigest.Of(parts)}".ToLowerInvariant();
    }
}
