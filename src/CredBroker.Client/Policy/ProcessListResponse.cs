namespace CredBroker.Client;

/// <summary><c>GET /v1/processes</c>: every process of the policy in force.</summary>
public sealed record ProcessListResponse
{
    /// <summary>The processes, by name.</summary>
    public required IReadOnlyList<ProcessResponse> Processes { get; init; }
}
