namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/tasks/{id}/close</c>: everything issued for the task is revoked, and its id is never taken again.
/// </summary>
public sealed record CloseTaskRequest
{
    /// <summary>The task's process.</summary>
    public required string Process { get; init; }
}
