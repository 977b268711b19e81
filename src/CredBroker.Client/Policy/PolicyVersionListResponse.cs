namespace CredBroker.Client;

/// <summary><c>GET /v1/policy/versions</c>: a page of versions, newest first.</summary>
public sealed record PolicyVersionListResponse
{
    /// <summary>The versions.</summary>
    public required IReadOnlyList<PolicyVersionResponse> Versions { get; init; }

    /// <summary>Send it as <c>before</c> for the next page; absent on the last one.</summary>
    public long? Next { get; init; }
}
