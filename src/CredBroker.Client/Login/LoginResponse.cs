namespace CredBroker.Client;

/// <summary>Where people of this broker log in. Nothing in it is secret: anybody may ask.</summary>
public sealed record LoginResponse
{
    /// <summary>The issuers that people can log in at by <c>credbroker login</c>; empty where there is none.</summary>
    public required IReadOnlyList<LoginIssuerResponse> Issuers { get; init; }
}
