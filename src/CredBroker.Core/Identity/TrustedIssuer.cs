namespace CredBroker.Core.Identity;

/// <summary>An issuer or trust domain whose tokens are accepted: by which rules, and verified with what.</summary>
/// <param name="Rules">What its tokens must be.</param>
/// <param name="Trust">Where its keys or its bundle come from.</param>
public sealed record TrustedIssuer(TokenRules Rules, ITrustSource Trust);
