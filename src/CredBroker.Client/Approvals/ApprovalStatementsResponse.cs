namespace CredBroker.Client;

/// <summary>What the agent says about what it asks for. The digest binds it; nobody has proven any of it.</summary>
public sealed record ApprovalStatementsResponse
{
    /// <summary>What it wants to do.</summary>
    public required string Purpose { get; init; }

    /// <summary>On what.</summary>
    public string? Resource { get; init; }

    /// <summary>The tool that the secret is for.</summary>
    public string? Tool { get; init; }

    /// <summary>The tool call's arguments that the rules show, in their order.</summary>
    public IReadOnlyList<ApprovalShownResponse> Arguments { get; init; } = [];
}
