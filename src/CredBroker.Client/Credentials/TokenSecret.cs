namespace CredBroker.Client;

/// <summary><c>token</c>: a Vault token.</summary>
public sealed record TokenSecret : SecretResponse
{
    /// <summary>The token.</summary>
    public required string Token { get; init; }

    /// <summary>The address of the Vault that accepts it.</summary>
    public required string Address { get; init; }

    /// <summary>The namespace of that Vault in which it is valid; null for none.</summary>
    public string? Namespace { get; init; }
}
