using CredBroker.Core.Identity;

namespace CredBroker.Server.Identity.Settings;

/// <summary>A trust domain's rules and where its bundle lies.</summary>
internal sealed record ConfiguredTrustDomain(TrustDomainRules Rules, string BundleFile);
