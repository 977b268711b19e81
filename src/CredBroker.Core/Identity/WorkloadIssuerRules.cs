using System.Text.Json;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>The rules for workloads' tokens of one OIDC issuer.</summary>
public sealed record WorkloadIssuerRules : IssuerRules
{
    /// <summary>The claim that names the workload.</summary>
    public required ClaimPath WorkloadClaim { get; init; }

    /// <summary>The claim that names the running instance; null where tokens tell none apart.</summary>
    public ClaimPath? InstanceClaim { get; init; }

    /// <summary>
    /// Whether a token without any <c>aud</c> is taken, because the issuer writes none. <see cref="IssuerRules.RequiredClaims"/>
    /// then say which tokens are meant for this broker. One that has an <c>aud</c> must still name us.
    /// </summary>
    public bool AcceptsNoAudience { get; init; }

    /// <summary>The top-level claims that policy may see.</summary>
    public IReadOnlyList<string> VisibleClaims { get; init; } = [];

    /// <inheritdoc/>
    internal override bool RequiresAudience => !AcceptsNoAudience;

    /// <summary>The identity of a token that was verified under these rules.</summary>
    public VerificationOutcome Identify(VerifiedToken token)
    {
        if (!CheckClaims(token.Claims).Passes(out var subject, out var refusal))
        {
            return new VerificationOutcome.Refused(refusal);
        }

        if (!WorkloadClaim.TryFindText(token.Claims, out var workload))
        {
            return Missing(WorkloadClaim, "the workload");
        }

        var instance = "";
        if (InstanceClaim?.TryFindText(token.Claims, out instance) == false)
        {
            return Missing(InstanceClaim, "the instance");
        }

        var visible = new Dictionary<string, JsonElement>(VisibleClaims.Count, StringComparer.Ordinal);
        foreach (var name in VisibleClaims)
        {
            if (!token.Claims.TryGetProperty(name, out var claim))
            {
                continue;
            }

            if (!ClaimText.IsPrintable(claim))
            {
                return Refused(
                    RefusalCode.TokenMalformed,
                    $"The token's '{name}' holds control characters or too long a text."
                );
            }

            visible.Add(name, claim.Clone());
        }

        return new VerificationOutcome.Verified(
            new()
            {
                Proof = ProofMethod.Oidc,
                Issuer = Issuer,
                Subject = subject,
                Workload = workload,
                Instance = instance,
                Claims = visible,
                ProofExpiresAt = token.Window.ExpiresAt,
                ProofHash = token.Hash,
            }
        );
    }

    /// <summary>
    /// The <c>sub</c>; where the token has none and another claim names the workload, that claim's name and value, such
    /// as <c>client_id=abc</c>. A <c>sub</c> that reads like one of those is refused: the two would be one caller.
    /// </summary>
    private protected override Check<string> ReadSubject(JsonElement claims)
    {
        var hasSubject = claims.TryGetProperty("sub", out var sub);
        if (WorkloadClaim.Text == ClaimPath.Subject.Text)
        {
            return base.ReadSubject(claims);
        }

        var prefix = $"{WorkloadClaim.Text}=";
        if (!hasSubject)
        {
            return WorkloadClaim.TryFindText(claims, out var workload) && ClaimText.IsName(prefix + workload)
                ? new Check<string>.Passed(prefix + workload)
                : new Refusal(RefusalCode.SubjectInvalid, $"The token has neither 'sub' nor '{WorkloadClaim.Text}'.");
        }

        return sub.ValueKind == JsonValueKind.String && sub.GetString()!.StartsWith(prefix, StringComparison.Ordinal)
            ? new Refusal(
                RefusalCode.SubjectInvalid,
                $"The token's 'sub' begins with '{prefix}', which stands for a token without one."
            )
            : base.ReadSubject(claims);
    }

    private static VerificationOutcome.Refused Missing(ClaimPath path, string what) =>
        Refused(
            RefusalCode.ClaimMissing,
            $"The token's '{path.Text}', which names {what}, is missing or not a printable text."
        );

    private static VerificationOutcome.Refused Refused(RefusalCode code, string detail) => new(new(code, detail));
}
