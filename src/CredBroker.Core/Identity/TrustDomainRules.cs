using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>
/// The rules for JWT-SVIDs of one trust domain (SPIFFE JWT-SVID). Whatever <c>iss</c> they carry plays no part, unless
/// an OIDC issuer speaks for the trust domain.
/// </summary>
public sealed record TrustDomainRules : TokenRules
{
    /// <summary>The trust domain's name.</summary>
    public required string TrustDomain { get; init; }

    /// <summary>Where workload and instance stand in the path; null for none.</summary>
    public PathTemplate? PathTemplate { get; init; }

    /// <inheritdoc/>
    public override string IssuerName => $"spiffe://{TrustDomain}";

    /// <summary>
    /// The OIDC issuer that speaks for the trust domain (SPIRE's OIDC discovery provider): its keys verify the tokens,
    /// each of which must carry this <c>iss</c>. Null where a bundle verifies them.
    /// </summary>
    public string? Issuer { get; init; }

    internal override string? RequiredIssuer => Issuer;

    /// <summary>The identity of a token that was verified under these rules.</summary>
    /// <param name="token">The token.</param>
    /// <param name="id">Its subject, of this trust domain.</param>
    public VerificationOutcome Identify(VerifiedToken token, SpiffeId id)
    {
        var instance = "";
        if (PathTemplate is null || !PathTemplate.TryMatch(id.Path, out var workload, out instance))
        {
            workload = id.Path;
        }

        return new VerificationOutcome.Verified(
            new()
            {
                Proof = ProofMethod.JwtSvid,
                Issuer = IssuerName,
                Subject = id.Text,
                Workload = workload,
                Instance = instance,
                SpiffeId = id.Text,
                TrustDomain = id.TrustDomain,
                ProofExpiresAt = token.Window.ExpiresAt,
                ProofHash = token.Hash,
            }
        );
    }

    // JWT-SVID §2.3 names exactly these two spellings.
    /// <inheritdoc/>
    protected override bool IsTypeAccepted(string? type) => type is null or "JWT" or "JOSE";

    /// <inheritdoc/>
    protected override Refusal? CheckAudiences(IReadOnlyList<string> audiences) =>
        audiences is [var only] && only == Audience
            ? null
            : AudienceRefusal("The JWT-SVID is not for this broker alone");
}
