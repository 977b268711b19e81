namespace CredBroker.Client;

/// <summary>
/// <c>POST /v1/credentials/{leaseId}/outcome</c>: an agent's report of what it did with the
/// secret. Recorded as its statement.
/// </summary>
public sealed record ReportRequest
{
    /// <summary><c>succeeded</c>, <c>failed</c> or <c>abandoned</c>.</summary>
    public required string Status { get; init; }

    /// <summary>A sentence about it, at most 2,000 characters.</summary>
    public string? Summary { get; init; }

    /// <summary>The tool call as it was made.</summary>
    public ToolCallDeclaration? ToolCall { get; init; }
}
