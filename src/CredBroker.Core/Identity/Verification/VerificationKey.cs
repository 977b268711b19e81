using Microsoft.IdentityModel.Tokens;

namespace CredBroker.Core.Identity.Verification;

/// <summary>A public key that tokens are checked with, pinned to the algorithms it may be used with.</summary>
/// <param name="KeyId">Its <c>kid</c>; null where the issuer gave none.</param>
/// <param name="Algorithms">What it may verify: the one its <c>alg</c> names, else those of its type or curve.</param>
/// <param name="SecurityKey">The key as the token library takes it.</param>
/// <param name="SignatureLength">The exact length of its signatures, in bytes.</param>
public sealed record VerificationKey(
    string? KeyId,
    IReadOnlyList<string> Algorithms,
    SecurityKey SecurityKey,
    int SignatureLength
);
