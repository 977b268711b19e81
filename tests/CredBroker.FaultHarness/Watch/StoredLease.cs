namespace CredBroker.FaultHarness.Watch;

/// <summary>A lease as its row says.</summary>
internal sealed record StoredLease
{
    public required string Id { get; init; }

    public required string State { get; init; }

    public required string Credential { get; init; }

    public required string? Accessor { get; init; }

    public required string? CredentialAccessor { get; init; }

    public required string? VaultLeaseId { get; init; }

    public required long OpenedAt { get; init; }

    public required long? ConfirmedAt { get; init; }

    public required string LastError { get; init; }

    /// <summary>The broker's word is that nothing of it is left.</summary>
    public bool IsOver => State is "revoked" or "ended";
}
