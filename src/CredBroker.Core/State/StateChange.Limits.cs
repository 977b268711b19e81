namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// Policy denied a request of a verified caller: it counts for its limit. It has no event of its own, as the denial
    /// has one or is told with a minute's count. No guard; where a breach is counted already, nothing changes.
    /// </summary>
    public sealed record DenialCounted : Transition
    {
        /// <summary>The limit, which has a <see cref="Policy.PolicyLimit.MaxDenied"/>.</summary>
        public required LimitUse Limit { get; init; }
    }
}
