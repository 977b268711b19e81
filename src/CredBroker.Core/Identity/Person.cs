namespace CredBroker.Core.Identity;

/// <summary>A verified person. Two are the same if issuer and subject are, never by name or e-mail.</summary>
public sealed record Person
{
    /// <summary>The token's exact <c>iss</c>, one that is configured for people.</summary>
    public required string Issuer { get; init; }

    /// <summary>The token's <c>sub</c>.</summary>
    public required string Subject { get; init; }

    /// <summary>The roles that the issuer's settings map the token's values to; may be none.</summary>
    public required IReadOnlySet<PersonRole> Roles { get; init; }

    /// <summary>The groups that the token lists.</summary>
    public required IReadOnlyList<string> Groups { get; init; }

    /// <summary>When the token ends.</summary>
    public required DateTimeOffset ProofExpiresAt { get; init; }

    /// <summary>SHA-256 of the token as base64url: what the audit trail records instead of the token.</summary>
    public required string ProofHash { get; init; }
}
