namespace CredBroker.Client;

/// <summary>201 to <c>POST /v1/credentials</c>: the secret, for this one reply. It is never shown again.</summary>
public sealed record ExchangeResponse
{
    /// <summary>Names the lease in every later call.</summary>
    public required string LeaseId { get; init; }

    /// <summary>The secret, in the schema of its engine.</summary>
    public required SecretResponse Secret { get; init; }

    /// <summary>When the secret ends.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>True where less life was granted than was asked for.</summary>
    public bool? TtlCut { get; init; }

    /// <summary>
    /// Until when the backend may still accept the secret if Vault cannot be reached at <see cref="ExpiresAt"/>.
    /// </summary>
    public DateTimeOffset? GraceUntil { get; init; }

    /// <summary>The decision that allowed it.</summary>
    public required DecisionReference Decision { get; init; }
}
