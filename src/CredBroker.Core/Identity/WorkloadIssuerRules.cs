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

    /// <summary>The identity of a token whose signature has been verified with this issuer's keys.</summary>
    public Refusal? Identify(CompactJws token, TokenWindow window, string proofHash, out WorkloadIdentity? identity)
    {
        identity = null;
        if (CheckClaims(token.Claims, out var subject) is { } refusal)
        {
            return refusal;
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
                return new(
                    RefusalCode.TokenMalformed,
                    $"The token's '{name}' holds control characters or too long a text."
                );
            }

            visible.Add(name, claim.Clone());
        }

        identity = new WorkloadIdentity
        {
            Proof = ProofMethod.Oidc,
            Issuer = Issuer,
            Subject = subject,
            Workload = workload,
            Instance = instance,
            Claims = visible,
            ProofExpiresAt = window.ExpiresAt,
            ProofHash = proofHash,
        };
        return null;
    }

    private static Refusal Missing(ClaimPath path, string what) =>
        new(
            RefusalCode.ClaimMissing,
            $"The token's '{path.Text}', which names {what}, is missing or not a printable text."
        );
}
