using System.Text.Json.Serialization;

namespace CredBroker.Client;

/// <summary><c>POST /v1/credentials/{leaseId}/renew</c>. The answer is the lease.</summary>
public sealed record RenewRequest
{
    /// <summary>
    /// The wished life from now on; absent means what was granted at first. It never passes the decision's limit.
    /// </summary>
    [JsonConverter(typeof(WireDurationConverter))]
    public TimeSpan? Ttl { get; init; }
}

/// <summary>
/// <c>POST /v1/credentials/{leaseId}/outcome</c>: what was done with the secret. Recorded as the agent's statement.
/// </summary>
public sealed record OutcomeRequest
{
    /// <summary><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</summary>
    public required string Status { get; init; }

    /// <summary>A sentence about it, at most 2,000 characters.</summary>
    public string? Summary { get; init; }

    /// <summary>The tool call as it was made.</summary>
    public ToolCallDeclaration? ToolCall { get; init; }
}

/// <summary>
/// <c>POST /v1/tasks/{id}/close</c>: everything issued for the task is revoked, and its id is never taken again.
/// </summary>
public sealed record CloseTaskRequest
{
    /// <summary>The task's process.</summary>
    public required string Process { get; init; }
}

/// <summary>
/// <c>DELETE /v1/credentials/{leaseId}</c>, where the answer is not 204: 202 with <c>revoking</c> while the
/// confirmation takes longer than 5 s; 200 with <see cref="StillValid"/> where a revocation cannot reach everything.
/// </summary>
public sealed record ReleaseResponse
{
    /// <summary>One of <see cref="LeaseStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>What may still be accepted.</summary>
    public IReadOnlyList<StillValidResponse>? StillValid { get; init; }
}
