using System.Text.Json;

namespace CredBroker.Client;

/// <summary>An identity as it would have been verified.</summary>
public sealed record EvaluateIdentity
{
    /// <summary><c>oidc</c> or <c>jwt-svid</c>.</summary>
    public required string Proof { get; init; }

    /// <summary>The issuer; for a SPIFFE identity <c>spiffe://&lt;trust domain&gt;</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>The subject.</summary>
    public required string Subject { get; init; }

    /// <summary>The workload's name; absent means the subject.</summary>
    public string? Workload { get; init; }

    /// <summary>The running instance.</summary>
    public string? Instance { get; init; }

    /// <summary>The SPIFFE ID.</summary>
    public string? SpiffeId { get; init; }

    /// <summary>The SPIFFE trust domain.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>The claims that rules may read.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Claims { get; init; }
}
