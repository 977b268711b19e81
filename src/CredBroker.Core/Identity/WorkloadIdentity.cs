using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>Who is asking, as far as it has been proven. Nothing in it comes from an unverified token.</summary>
public sealed record WorkloadIdentity
{
    /// <summary>How the identity was proven.</summary>
    public required ProofMethod Proof { get; init; }

    /// <summary>
    /// The token's exact <c>iss</c>; for a SPIFFE identity <c>spiffe://&lt;trust domain&gt;</c>, never the token's
    /// <c>iss</c>.
    /// </summary>
    public required string Issuer { get; init; }

    /// <summary>
    /// The token's <c>sub</c>; where it has none, the claim that names the workload, such as <c>client_id=abc</c>.
    /// </summary>
    public required string Subject { get; init; }

    /// <summary>
    /// The workload's name: the claim or path segment that the settings of its issuer or trust domain name.
    /// </summary>
    public required string Workload { get; init; }

    /// <summary>The one running instance of the workload; empty where the issuer's settings name none.</summary>
    public string Instance { get; init; } = "";

    /// <summary>The SPIFFE ID; empty for an OIDC identity.</summary>
    public string SpiffeId { get; init; } = "";

    /// <summary>The SPIFFE trust domain; empty for an OIDC identity.</summary>
    public string TrustDomain { get; init; } = "";

    /// <summary>
    /// The claims that the issuer's settings list, and no others: all that policy sees and the lease keeps.
    /// </summary>
    public IReadOnlyDictionary<string, JsonElement> Claims { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>When the proof itself ends.</summary>
    public required DateTimeOffset ProofExpiresAt { get; init; }

    /// <summary>SHA-256 of the proof as base64url: what the audit trail records instead of the token.</summary>
    public required string ProofHash { get; init; }

    /// <summary>
    /// The key that the caller has proven to hold; null for a bearer, who has proven none. Nothing sets it before proofs
    /// of possession are accepted.
    /// </summary>
    public ConfirmationKey? ConfirmationKey { get; init; }

    /// <summary>
    /// Whether another identity is the same caller: issuer, subject and instance are equal. The confirmation key says
    /// how the caller was proven, not who it is, and plays no part here: keys are replaced while an instance runs (an
    /// SVID each hour), and the instance must still be able to give back what it holds. Where something is bound to a
    /// key, compare <see cref="ConfirmationKey"/> as well.
    /// </summary>
    public bool IsSameCaller(WorkloadIdentity other) =>
        Issuer == other.Issuer && Subject == other.Subject && Instance == other.Instance;
}
