namespace CredBroker.Client;

/// <summary>202 to <c>POST /v1/revocations</c>: the order is being carried out, and durable unless <see cref="RecordMissing"/>.</summary>
/// <param name="RevocationId">Where its progress is asked for.</param>
public sealed record RevocationAcceptedResponse(string RevocationId)
{
    /// <summary>For a quarantine: the hold that was placed in the same commit.</summary>
    public string? HoldId { get; init; }

    /// <summary>
    /// True: the broker's store did not take the order. It is carried out at Vault all the same, by this process, and is
    /// recorded when the store takes it; until then it is never complete.
    /// </summary>
    public bool? RecordMissing { get; init; }
}
