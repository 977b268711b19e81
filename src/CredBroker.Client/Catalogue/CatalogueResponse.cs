namespace CredBroker.Client;

/// <summary>What the calling agent may ask for.</summary>
public sealed record CatalogueResponse
{
    /// <summary>The version of the policy that says so.</summary>
    public required long PolicyVersion { get; init; }

    /// <summary>An entry for each process and credential; what no request of the agent's would be given is not among them.</summary>
    public required IReadOnlyList<CatalogueOfferResponse> Entries { get; init; }
}
