namespace CredBroker.Client;

/// <summary>The task that an agent says it is working on.</summary>
public sealed record TaskDeclaration
{
    /// <summary>The agent's own id for this run of the process. A closed task's id is never taken again.</summary>
    public required string Id { get; init; }

    /// <summary>The business process, by its name in the policy.</summary>
    public required string Process { get; init; }

    /// <summary>Why: the declared intent. A statement, shown and compared, never trusted.</summary>
    public required string Purpose { get; init; }
}
