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

    /// <summary>The top-level claims that policy may see.</summary>
    public IReadOnlyList<string> VisibleClaims { get; init; } = [];

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

    private static VerificationOutcome.Refused Missing(ClaimPath path, string what) =>
        Refused(
            RefusalCode.ClaimMissing,
            $"The token's '{path.Text}', which names {what}, is missing or not a printable text."
        );

    private static VerificationOutcome.Refused Refused(RefusalCode code, string detail) => new(new(code, detail));
}
