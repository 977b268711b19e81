using CredBroker.Core.Identity.Verification;

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

    /// <summary>The person of a token that was verified under these rules.</summary>
    public PersonOutcome Identify(VerifiedToken token)
    {
        if (!CheckClaims(token.Claims).Passes(out var subject, out var refusal))
        {
            return new PersonOutcome.Refused(refusal);
        }

        var values = RolesClaim.FindTexts(token.Claims);
        return new PersonOutcome.Verified(
            new()
            {
                Issuer = Issuer,
                Subject = subject,
                Roles = Roles.Where(role => role.Value.Any(values.Contains)).Select(role => role.Key).ToHashSet(),
                Groups = GroupsClaim?.FindTexts(token.Claims) ?? [],
                ProofExpiresAt = token.Window.ExpiresAt,
                ProofHash = token.Hash,
            }
        );
    }
}
