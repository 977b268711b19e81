using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.State;

/// <summary>A policy version as the store keeps it.</summary>
public sealed record AppliedPolicyRecord(long Version, string Hash, PolicyDocument Document, DateTimeOffset AppliedAt)
{
    /// <summary>How it came to be.</summary>
    public PolicyOrigin Origin { get; init; } = PolicyOrigin.File;
}
