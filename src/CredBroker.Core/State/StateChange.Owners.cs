namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A person is gone. From now on no lease opens and none is extended that was decided while their processes had them
    /// as owner, and they agree to nothing. Guards: this policy version is the newest, they are not gone already, and there
    /// is room.
    /// </summary>
    public sealed record OwnerRetired : Transition
    {
        /// <summary>The person.</summary>
        public required OwnerRetirement Owner { get; init; }

        /// <summary>The policy by which it was looked up what they answer for.</summary>
        public required long PolicyVersion { get; init; }
    }

    /// <summary>A person is back. Guard: they are gone.</summary>
    public sealed record OwnerReinstated : Transition
    {
        /// <summary>The person's issuer.</summary>
        public required string Issuer { get; init; }

        /// <summary>The person's subject.</summary>
        public required string Subject { get; init; }

        /// <summary>Who says so, as in the audit event's actor.</summary>
        public required string ReinstatedBy { get; init; }

        /// <summary>Why.</summary>
        public required string Reason { get; init; }
    }
}
