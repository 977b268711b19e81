using CredBroker.Core.Audit;

namespace CredBroker.Core.State;

/// <summary>How a policy version came to be.</summary>
public sealed record PolicyOrigin
{
    /// <summary>From the broker's policy file; who wrote that is not known.</summary>
    public static readonly PolicyOrigin File = new();

    /// <summary>The person who applied it over the API; null where it came from a file.</summary>
    public AuditActor? Author { get; init; }

    /// <summary>The earlier version whose content it has again; null where its content is new.</summary>
    public long? Restores { get; init; }

    /// <summary>Why an admin went back, in their words; empty where nobody did.</summary>
    public string Reason { get; init; } = "";
}
