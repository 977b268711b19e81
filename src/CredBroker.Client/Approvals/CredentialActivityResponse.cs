namespace CredBroker.Client;

/// <summary>How often an instance of an agent asked for a credential, and what became of it.</summary>
public sealed record CredentialActivityResponse
{
    /// <summary>The catalogue entry; absent for all that is in no catalogue.</summary>
    public string? Credential { get; init; }

    /// <summary>Leases that were opened for it.</summary>
    public required long Issued { get; init; }

    /// <summary>Denials; those that are only told with a minute's others are not counted.</summary>
    public required long Denied { get; init; }

    /// <summary>Requests to people, the one that is looked at included.</summary>
    public required long Challenged { get; init; }
}
