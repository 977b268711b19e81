using System.Text.Json;

namespace CredBroker.Client;

/// <summary>A verified identity.</summary>
public sealed record IdentityResponse
{
    /// <summary>The policy's name for the agent; absent where none admitted it.</summary>
    public string? Agent { get; init; }

    /// <summary><c>oidc</c> or <c>jwt-svid</c>.</summary>
    public required string Proof { get; init; }

    /// <summary>The token's issuer; for a SPIFFE identity <c>spiffe://&lt;trust domain&gt;</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>The token's subject.</summary>
    public required string Subject { get; init; }

    /// <summary>The workload's name.</summary>
    public required string Workload { get; init; }

    /// <summary>The one running instance, where its issuer names one.</summary>
    public string? Instance { get; init; }

    /// <summary>The SPIFFE ID.</summary>
    public string? SpiffeId { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>The claims that its issuer's settings list.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Claims { get; init; }
}
