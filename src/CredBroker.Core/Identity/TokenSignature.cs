using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity;

/// <summary>
/// Verifies signatures with the token library, which also validates issuer, audience, algorithm and lifetime a second time, from its own reading of the token.
/// Its defaults are not relied on, and its signature providers are kept: making one costs several times what a verification does.
/// </summary>
public sealed class TokenSignature
{
    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = CompactJws.MaxLength };

    // Not the library's static default, which anything else in the process could change.
    private readonly CryptoProviderFactory providers = new(new InMemoryCryptoProviderCache(new CryptoProviderCacheOptions { SizeLimit = 1_000 }));

    /// <summary>Checks a token that met <paramref name="rules"/> with the keys that its header leads to.</summary>
    public async ValueTask<Refusal?> VerifyAsync(
        CompactJws token, TokenRules rules, TokenWindow window, IReadOnlyList<VerificationKey> candidates, DateTimeOffset now)
    {
        foreach (var key in candidates)
        {
            if (await VerifiesAsync(token, rules, window, key, now)) return null;
        }

        return new(RefusalCode.SignatureInvalid, "The token's signature does not verify with its issuer's keys.");
    }

    private async ValueTask<bool> VerifiesAsync(CompactJws token, TokenRules rules, TokenWindow window, VerificationKey key, DateTimeOffset now)
    {
        // A signature of another length cannot verify, and the library would throw away its provider over it.
        if (token.SignatureLength != key.SignatureLength || !key.Algorithms.Contains(token.Algorithm)) return false;
        var result = await handler.ValidateTokenAsync(token.Text, new TokenValidationParameters
        {
            CryptoProviderFactory = providers,
            IssuerSigningKey = key.SecurityKey,
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            ValidAlgorithms = [token.Algorithm],
            ValidateIssuer = rules.RequiredIssuer is not null,
            ValidIssuer = rules.RequiredIssuer,
            ValidateAudience = true,
            ValidAudience = rules.Audience,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            RequireExpirationTime = true,
            ValidateLifetime = true,
            LifetimeValidator = (_, expires, _, _) => expires == window.ExpiresAt.UtcDateTime && window.Check(now, rules.ClockSkew, rules.MaxTokenLifetime) is null,
            LogValidationExceptions = false,
            LogTokenId = false,
        });
        return result.IsValid;
    }
}
