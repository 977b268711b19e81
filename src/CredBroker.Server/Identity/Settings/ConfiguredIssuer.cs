using CredBroker.Core.Identity;

namespace CredBroker.Server.Identity.Settings;

/// <summary>An issuer's rules and where its keys come from.</summary>
internal sealed record ConfiguredIssuer(IssuerRules Rules, JwksOptions Jwks);
