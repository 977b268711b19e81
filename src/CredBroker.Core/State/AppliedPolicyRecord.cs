using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.State;

/// <summary>A policy version as the store keeps it.</summary>
public sealed record AppliedPolicyRecord(long Version, string Hash, PolicyDocument Document, DateTimeOffset AppliedAt);
