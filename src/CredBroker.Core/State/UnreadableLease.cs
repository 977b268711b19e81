namespace CredBroker.Core.State;

/// <summary>
/// A lease whose record somebody damaged: what it was decided from, or another part of it, cannot be read any more. Its
/// secret may work all the same, so it is never left out of what an order reaches, and what can still be read of it
/// revokes it.
/// </summary>
public sealed record UnreadableLease
{
    /// <summary>The lease id.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands; a state that cannot be read counts as failed.</summary>
    public required LeaseState State { get; init; }

    /// <summary>What is wrong with the record.</summary>
    public required string Fault { get; init; }

    /// <summary>The entry of the policy's <c>agents</c>.</summary>
    public required string Agent { get; init; }

    /// <summary>The task's id.</summary>
    public required string Task { get; init; }

    /// <summary>The business process.</summary>
    public required string Process { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>What <c>CatalogueEntry.Backend</c> was when it was opened: where its revocation waits for a place.</summary>
    public required string Backend { get; init; }

    /// <summary>When the exchange opened it; null where that cannot be read.</summary>
    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>The child token's accessor.</summary>
    public string? Accessor { get; init; }

    /// <summary>For a Vault token as the credential: its own accessor.</summary>
    public string? CredentialAccessor { get; init; }

    /// <summary>Vault's lease id.</summary>
    public string? VaultLeaseId { get; init; }

    /// <summary>A name of the secret that is no secret.</summary>
    public string PublicName { get; init; } = "";

    /// <summary>The person on whose word alone it counts as revoked; empty where nobody's word was needed.</summary>
    public string ConfirmedBy { get; init; } = "";

    /// <summary>How many attempts to revoke were made.</summary>
    public int Attempts { get; init; }

    /// <summary>What the last attempt came to.</summary>
    public string LastError { get; init; } = "";
}
