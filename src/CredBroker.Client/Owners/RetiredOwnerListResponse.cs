namespace CredBroker.Client;

/// <summary>Every owner who is gone.</summary>
public sealed record RetiredOwnerListResponse
{
    /// <summary>They, the newest first.</summary>
    public required IReadOnlyList<RetiredOwnerResponse> Owners { get; init; }
}
