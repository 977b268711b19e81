using CredBroker.Core.Identity;

namespace CredBroker.Server.Identity.Settings;

/// <summary>A trust domain's rules, and where what verifies its tokens comes from.</summary>
/// <param name="Rules">Its rules.</param>
/// <param name="BundleFile">The file of its bundle; empty where an OIDC issuer speaks for it.</param>
/// <param name="Jwks">Where the keys of that issuer come from; null where there is a bundle.</param>
internal sealed record ConfiguredTrustDomain(TrustDomainRules Rules, string BundleFile, JwksOptions? Jwks = null);
