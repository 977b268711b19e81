namespace CredBroker.Client;

/// <summary>What may still be accepted after a revocation.</summary>
public sealed record StillValidResponse
{
    /// <summary>The lease; empty for secrets of the credential that no record knows.</summary>
    public required string LeaseId { get; init; }

    /// <summary>The catalogue entry; empty where it is not known either.</summary>
    public required string Credential { get; init; }

    /// <summary>Who may still accept it, and what to do.</summary>
    public required string What { get; init; }

    /// <summary>Until when; absent where no end is known, as of a value that is to be rotated.</summary>
    public DateTimeOffset? Until { get; init; }
}
