namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// Policy denied a request of a verified caller: it counts once for all of its limits. It has no event of its own, as
    /// the denial has one or is told with a minute's count. No guard; what is counted together is counted until every
    /// limit that looks at it is broken, and then nothing changes.
    /// </summary>
    public sealed record DenialCounted : Transition
    {
        /// <summary>The limits, each of which has a <see cref="Policy.PolicyLimit.MaxDenied"/>.</summary>
        public required IReadOnlyList<LimitUse> Limits { get; init; }
    }
}
