using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>The rules for people's tokens of one OIDC issuer.</summary>
public sealed record PeopleIssuerRules : IssuerRules
{
    /// <summary>The claim that lists what <see cref="Roles"/> maps.</summary>
    public required ClaimPath RolesClaim { get; init; }

    /// <summary>The claim that lists the person's groups; null for none.</summary>
    public ClaimPath? GroupsClaim { get; init; }

    /// <summary>Which values of the roles claim give which role; nothing else gives one.</summary>
    public required IReadOnlyDictionary<PersonRole, IReadOnlyList<string>> Roles { get; init; }

    /// <summary>The person of a token whose signature has been verified with this issuer's keys.</summary>
    public Refusal? Identify(CompactJws token, TokenWindow window, string proofHash, out Person? person)
    {
        person = null;
        if (CheckClaims(token.Claims, out var subject) is { } refusal)
        {
            return refusal;
        }

        var values = RolesClaim.FindTexts(token.Claims);
        person = new Person
        {
            Issuer = Issuer,
            Subject = subject,
            Roles = Roles.Where(role => role.Value.Any(values.Contains)).Select(role => role.Key).ToHashSet(),
            Groups = GroupsClaim?.FindTexts(token.Claims) ?? [],
            ProofExpiresAt = window.ExpiresAt,
            ProofHash = proofHash,
        };
        return null;
    }
}
