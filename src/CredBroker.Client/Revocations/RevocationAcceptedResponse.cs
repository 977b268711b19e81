namespace CredBroker.Client;

/// <summary>202 to <c>POST /v1/revocations</c>: the order is durable and being carried out.</summary>
/// <param name="RevocationId">Where its progress is asked for.</param>
public sealed record RevocationAcceptedResponse(string RevocationId)
{
    /// <summary>For a quarantine: the hold that was placed in the same commit.</summary>
    public string? HoldId { get; init; }
}
