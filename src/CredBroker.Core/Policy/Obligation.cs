using System.Text.Json.Serialization;

namespace CredBroker.Core.Policy;

/// <summary>
/// What comes with an allow or a challenge: something that must hold before, or as long as, the secret is used. The list
/// is closed: a new kind is a record here and a line in <see cref="ObligationFold"/>. One that the broker cannot meet is
/// a denial.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(NeedsApproval), "needs-approval")]
[JsonDerivedType(typeof(LivesAtMost), "lives-at-most")]
public abstract record Obligation
{
    private Obligation() { }

    /// <summary>People approve this exact request first.</summary>
    /// <param name="Demands">What is asked of whom; all of it has to be met. Never empty.</param>
    public sealed record NeedsApproval(IReadOnlyList<ApprovalDemand> Demands) : Obligation
    {
        /// <summary>
        /// The agent that alone may redeem the approval; empty: the one that asked. Demands that name none leave it to
        /// the one that does, and no two name different ones.
        /// </summary>
        [JsonIgnore]
        public string Executor =>
            Demands.Select(demand => demand.Executor).FirstOrDefault(executor => executor.Length > 0) ?? "";

        /// <summary>
        /// The longest time box that people may give with their yes: the shortest that a demand offers, and none unless all
        /// offer one.
        /// </summary>
        [JsonIgnore]
        public TimeSpan? TimeBox =>
            Demands.Count > 0 && Demands.All(demand => demand.TimeBox is not null)
                ? Demands.Min(demand => demand.TimeBox)
                : null;
    }

    /// <summary>The secret's whole life, renewals included, is bounded.</summary>
    /// <param name="MaxTtl">The bound.</param>
    public sealed record LivesAtMost(TimeSpan MaxTtl) : Obligation;
}
