using System.Text.Json;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>
/// What a token must be before its signature is worth checking. Pure: a token and the time in, the token's window or a
/// refusal out.
/// </summary>
public abstract record TokenRules
{
    private static readonly string[] Texts = ["iss", "sub", "jti", "azp", "actort"];

    /// <summary>The audience that is ours.</summary>
    public required string Audience { get; init; }

    /// <summary>The algorithms that are accepted.</summary>
    public required IReadOnlyList<string> Algorithms { get; init; }

    /// <summary>How far the issuer's clock and ours may differ.</summary>
    public required TimeSpan ClockSkew { get; init; }

    /// <summary>The longest life of a token; null for any.</summary>
    public TimeSpan? MaxTokenLifetime { get; init; }

    /// <summary>
    /// What the identity's issuer is called: the exact <c>iss</c>, or <c>spiffe://</c> and the trust domain.
    /// </summary>
    public abstract string IssuerName { get; }

    /// <summary>The <c>iss</c> that the token must carry; null where it does not matter.</summary>
    internal abstract string? RequiredIssuer { get; }

    /// <summary>Whether a token must say whom it is for. Without this, one that does say so is still held to it.</summary>
    internal virtual bool RequiresAudience => true;

    /// <summary>
    /// Checks header, audience and times; a token that fails here costs no signature check and no refresh of keys.
    /// </summary>
    public Check<TokenWindow> CheckBeforeSignature(CompactJws token, DateTimeOffset now)
    {
        if (!Algorithms.Contains(token.Algorithm))
        {
            return new Refusal(
                RefusalCode.AlgorithmNotAccepted,
                $"The token's algorithm is not accepted here; accepted are {string.Join(", ", Algorithms)}."
            );
        }

        if (!IsTypeAccepted(token.Type))
        {
            return new Refusal(RefusalCode.HeaderNotAccepted, "The token's 'typ' is not that of an identity token.");
        }

        if ((CheckTypes(token.Claims) ?? CheckKind(token.Claims) ?? CheckAudience(token.Claims)) is { } refusal)
        {
            return refusal;
        }

        var read = TokenWindow.Read(token.Claims);
        return read.Passes(out var window, out _) && window.Check(now, ClockSkew, MaxTokenLifetime) is { } outside
            ? outside
            : read;
    }

    /// <summary>Whether a header's <c>typ</c> is accepted; null where it has none.</summary>
    protected abstract bool IsTypeAccepted(string? type);

    /// <summary>Holds the token's audiences against ours.</summary>
    protected abstract Refusal? CheckAudiences(IReadOnlyList<string> audiences);

    // RFC 7519 §4.1. The library would give up on the whole token, without saying over which claim.
    private static Refusal? CheckTypes(JsonElement claims)
    {
        foreach (var name in Texts)
        {
            if (
                claims.TryGetProperty(name, out var claim)
                && claim.ValueKind
                    is JsonValueKind.Array
                        or JsonValueKind.Object
                        or JsonValueKind.True
                        or JsonValueKind.False
            )
            {
                return new(RefusalCode.TokenMalformed, $"The token's '{name}' is not a text.");
            }
        }

        return null;
    }

    // RFC 7800: a bound token is its holder's only together with the proof, and a bearer's word is none. RFC 8417: an
    // event speaks about a subject, not for it.
    private static Refusal? CheckKind(JsonElement claims)
    {
        if (claims.TryGetProperty("cnf", out _))
        {
            return new(
                RefusalCode.ClaimForbidden,
                "The token is bound to a key ('cnf'), the proof of which cannot be checked here; "
                    + "ask its issuer for one that is not."
            );
        }

        if (claims.TryGetProperty("events", out _))
        {
            return new(RefusalCode.ClaimForbidden, "The token is a security event ('events'), not an identity.");
        }

        return null;
    }

    private Refusal? CheckAudience(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var claim))
        {
            return RequiresAudience ? AudienceRefusal("The token has no 'aud'") : null;
        }

        JsonElement[] elements = claim.ValueKind == JsonValueKind.Array ? [.. claim.EnumerateArray()] : [claim];
        if (elements.Length == 0 || elements.Any(e => e.ValueKind != JsonValueKind.String || e.ValueEquals("")))
        {
            return AudienceRefusal("The token's 'aud' is not a text or a list of texts");
        }

        return CheckAudiences([.. elements.Select(e => e.GetString()!)]);
    }

    private protected Refusal AudienceRefusal(string what) =>
        new(RefusalCode.AudienceNotAccepted, $"{what}; ask the issuer for a token with the audience '{Audience}'.");
}
