namespace CredBroker.Client;

/// <summary><c>POST /v1/store/anchor/accept</c>: a store that is behind its anchor is the right one.</summary>
public sealed record AcceptStoreRequest
{
    /// <summary>The epoch that begins: <see cref="StoreAnchorResponse.AcceptAs"/>.</summary>
    public required long Epoch { get; init; }

    /// <summary>Why; stands in the audit log.</summary>
    public required string Reason { get; init; }
}
