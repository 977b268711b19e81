using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A policy document becomes version <see cref="Expected"/> + 1. Guards: the newest version is
    /// <see cref="Expected"/>; its hash was never a version before or, where an admin goes back, is that of the version
    /// that is restored.
    /// </summary>
    public sealed record PolicyApplied : Transition
    {
        /// <summary>The version that it follows.</summary>
        public required long Expected { get; init; }

        /// <summary>The document's hash.</summary>
        public required string Hash { get; init; }

        /// <summary>The document.</summary>
        public required PolicyDocument Document { get; init; }

        /// <summary>Where it comes from.</summary>
        public PolicyOrigin Origin { get; init; } = PolicyOrigin.File;
    }
}
