namespace CredBroker.Client;

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
