namespace CredBroker.Client;

/// <summary>Secrets of one credential that Vault holds and no live record of the broker knows.</summary>
public sealed record UnknownSecretsResponse
{
    /// <summary>The credential.</summary>
    public required string Credential { get; init; }

    /// <summary>How many; null where nobody can say.</summary>
    public int? Count { get; init; }

    /// <summary>Their Vault lease ids, of many the first.</summary>
    public required IReadOnlyList<string> VaultLeases { get; init; }

    /// <summary>Why nobody can say; null where somebody can.</summary>
    public string? Why { get; init; }
}
