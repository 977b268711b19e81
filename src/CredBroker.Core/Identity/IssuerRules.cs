using System.Text.Json;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>The rules for tokens of one OIDC issuer (RFC 7519, RFC 8725).</summary>
public abstract record IssuerRules : TokenRules
{
    /// <summary>The exact <c>iss</c>.</summary>
    public required string Issuer { get; init; }

    /// <summary>
    /// The audience that the same issuer's tokens of the other kind carry: people's for workloads, workloads' for
    /// people. A token with both is neither. Null where the issuer has one kind only.
    /// </summary>
    public string? OtherKindsAudience { get; init; }

    /// <summary>Claims that a token must have.</summary>
    public IReadOnlyList<ClaimRequirement> RequiredClaims { get; init; } = [];

    /// <summary>Claims that a token must not have.</summary>
    public IReadOnlyList<ClaimPath> ForbiddenClaims { get; init; } = [];

    /// <inheritdoc/>
    public override string IssuerName => Issuer;

    internal override string? RequiredIssuer => Issuer;

    /// <summary>Checks what every verified token of this issuer must carry, and gives its subject.</summary>
    private protected Check<string> CheckClaims(JsonElement claims)
    {
        if (ForbiddenClaims.FirstOrDefault(path => path.TryFind(claims, out _)) is { } forbidden)
        {
            return new Refusal(
                RefusalCode.ClaimForbidden,
                $"The token carries '{forbidden.Text}', which its issuer's settings forbid here."
            );
        }

        if (RequiredClaims.FirstOrDefault(claim => !claim.IsMetBy(claims)) is { } missing)
        {
            return new Refusal(
                RefusalCode.ClaimMissing,
                $"The token's '{missing.Path.Text}' is missing or not as its issuer's settings require."
            );
        }

        return ReadSubject(claims);
    }

    /// <summary>Who the token is about, as its records will call it.</summary>
    private protected virtual Check<string> ReadSubject(JsonElement claims) =>
        claims.TryGetProperty("sub", out var sub)
        && sub.ValueKind == JsonValueKind.String
        && sub.GetString() is { } text
        && ClaimText.IsName(text)
            ? new Check<string>.Passed(text)
            : new Refusal(RefusalCode.SubjectInvalid, "The token's 'sub' is missing or not a printable text.");

    /// <inheritdoc/>
    protected override bool IsTypeAccepted(string? type) =>
        type is null
        || type.Equals("JWT", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/jwt", StringComparison.OrdinalIgnoreCase)
        || type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase)
        || type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    protected override Refusal? CheckAudiences(IReadOnlyList<string> audiences)
    {
        if (OtherKindsAudience is { } other && audiences.Contains(other))
        {
            return new(
                RefusalCode.WrongKindOfIdentity,
                "The token is meant for the other kind of caller: "
                    + "people and workloads use different endpoints and audiences."
            );
        }

        return audiences.Contains(Audience) ? null : AudienceRefusal("The token is not for this broker");
    }
}
