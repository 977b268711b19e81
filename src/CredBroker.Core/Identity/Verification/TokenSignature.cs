using System.Diagnostics.CodeAnalysis;
using CredBroker.Core.Requests;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Verifies signatures with the token library, which also validates issuer, audience, algorithm and lifetime a second
/// time, from its own reading of the token. Its defaults are not relied on, and its signature providers are kept:
/// making one costs several times what a verification does.
/// </summary>
internal sealed class TokenSignature
{
    private static readonly Refusal Invalid = new(
        RefusalCode.SignatureInvalid,
        "The token's signature does not verify with its issuer's keys."
    );

    private static readonly Refusal Misread = new(
        RefusalCode.TokenMalformed,
        "The token cannot be read: a registered claim is not of the type that RFC 7519 gives it."
    );

    private readonly JsonWebTokenHandler _handler = new()
    {
        MapInboundClaims = false,
        MaximumTokenSizeInBytes = CompactJws.MaxLength,
    };

    // Not the library's static default, which anything else in the process could change.
    private readonly CryptoProviderFactory _providers = new(
        new InMemoryCryptoProviderCache(new CryptoProviderCacheOptions { SizeLimit = 1_000 })
    );

    /// <summary>
    /// Checks a token that met <paramref name="rules"/> with those of <paramref name="anchors"/> that its header leads
    /// to.
    /// </summary>
    public async ValueTask<Check<VerifiedToken>> VerifyAsync(
        CompactJws token,
        TokenRules rules,
        TokenWindow window,
        TrustAnchors anchors,
        DateTimeOffset now
    )
    {
        if (!TryParse(token.Text, out var parsed))
        {
            return Misread;
        }

        foreach (var key in anchors.Candidates(token.KeyId, token.Algorithm))
        {
            // A signature of another length cannot verify, and the library would throw away its provider over it.
            if (token.SignatureLength != key.SignatureLength || !key.Algorithms.Contains(token.Algorithm))
            {
                continue;
            }

            var result = await _handler.ValidateTokenAsync(parsed, Parameters(token, rules, window, key, now));
            if (result.IsValid)
            {
                return new Check<VerifiedToken>.Passed(new(token, window, anchors));
            }

            if (
                result.Exception
                is not (SecurityTokenInvalidSignatureException or SecurityTokenSignatureKeyNotFoundException)
            )
            {
                return Misread;
            }
        }

        return Invalid;
    }

    private bool TryParse(string text, [NotNullWhen(true)] out JsonWebToken? parsed)
    {
        parsed = null;
        try
        {
            parsed = _handler.ReadJsonWebToken(text);
            return true;
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException)
        {
            return false;
        }
    }

    private TokenValidationParameters Parameters(
        CompactJws token,
        TokenRules rules,
        TokenWindow window,
        VerificationKey key,
        DateTimeOffset now
    ) =>
        new()
        {
            CryptoProviderFactory = _providers,
            IssuerSigningKey = key.SecurityKey,
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            ValidAlgorithms = [token.Algorithm],
            ValidateIssuer = rules.RequiredIssuer is not null,
            ValidIssuer = rules.RequiredIssuer,
            ValidateAudience = rules.RequiresAudience || token.Claims.TryGetProperty("aud", out _),
            ValidAudience = rules.Audience,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            RequireExpirationTime = true,
            ValidateLifetime = true,
            // The library's own validator reads the wall clock. It rounds fractions of a second where we cut them off.
            LifetimeValidator = (_, expires, _, _) =>
                expires is { } end
                && (window.ExpiresAt - end).Duration() <= TimeSpan.FromSeconds(1)
                && window.Check(now, rules.ClockSkew, rules.MaxTokenLifetime) is null,
            LogValidationExceptions = false,
            LogTokenId = false,
        };
}
