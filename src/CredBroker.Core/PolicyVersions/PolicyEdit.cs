using CredBroker.Core.Audit;
using CredBroker.Core.Policy.Document;

namespace CredBroker.Core.PolicyVersions;

/// <summary>What an admin does to the policy.</summary>
public abstract record PolicyEdit
{
    private PolicyEdit() { }

    /// <summary>The person.</summary>
    public required AuditActor Author { get; init; }

    /// <summary>The hash of the version that they have seen in force; null where they have seen that there is none.</summary>
    public required string? Onto { get; init; }

    /// <summary>Finds the call in the log.</summary>
    public string? TraceId { get; init; }

    /// <summary>A document becomes the next version.</summary>
    public sealed record Apply : PolicyEdit
    {
        /// <summary>The document.</summary>
        public required PolicyDocument Document { get; init; }
    }

    /// <summary>What an earlier version said becomes the next version.</summary>
    public sealed record Rollback : PolicyEdit
    {
        /// <summary>The earlier version.</summary>
        public required long Version { get; init; }

        /// <summary>Why, in the person's words.</summary>
        public required string Reason { get; init; }
    }
}
