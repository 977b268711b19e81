namespace CredBroker.Client;

/// <summary>An issuer of people's tokens, and what to ask it for.</summary>
public sealed record LoginIssuerResponse
{
    /// <summary>The issuer, byte for byte as its tokens name it.</summary>
    public required string Issuer { get; init; }

    /// <summary>The public client that is registered there for the command line.</summary>
    public required string ClientId { get; init; }

    /// <summary>The audience that a token must have for the broker to take it as a person's.</summary>
    public required string Audience { get; init; }

    /// <summary>The scopes to ask for.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>The resource to ask a token for (RFC 8707); absent where the issuer is told none.</summary>
    public string? Resource { get; init; }
}
