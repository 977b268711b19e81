using System.Collections.Frozen;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity;

/// <summary>The configured issuers and trust domains at work: rules to route by, and each rule set's keys.</summary>
internal sealed class IdentityRegistry
{
    private readonly FrozenDictionary<TokenRules, KeySource> _keys;

    public IdentityRegistry(
        IdentitySettings settings,
        KeyRefreshOptions refresh,
        bool devMode,
        TimeProvider time,
        ILogger<KeySource> logger
    )
    {
        var fetched = new KeyTiming(refresh.Interval, refresh.CoolDown, refresh.Timeout, refresh.MaxStale);
        _keys = settings
            .TrustDomains.Select(d => KeyValuePair.Create<TokenRules, KeySource>(d.Rules, OfBundle(d)))
            .Concat(settings.Issuers.Select(i => KeyValuePair.Create<TokenRules, KeySource>(i.Rules, OfIssuer(i))))
            .ToFrozenDictionary((IEqualityComparer<TokenRules>)ReferenceEqualityComparer.Instance);
        Routing = new TokenRouting(settings.TrustDomains.Select(d => d.Rules), settings.Issuers.Select(i => i.Rules));
        Sources = new KeySources(
            [.. _keys.Values],
            [.. _keys.Where(entry => entry.Key is not PeopleIssuerRules).Select(entry => entry.Value)]
        );

        KeySource OfBundle(ConfiguredTrustDomain domain) =>
            new(
                domain.Rules.IssuerName,
                ct => KeyFile.ReadAsync(domain.BundleFile, ct),
                new BundleSequence().Read,
                KeyTiming.ForFiles,
                time,
                logger
            );

        KeySource OfIssuer(ConfiguredIssuer issuer) =>
            issuer.Jwks.File.Length > 0
                ? new(
                    issuer.Rules.Issuer,
                    ct => KeyFile.ReadAsync(issuer.Jwks.File, ct),
                    KeyDocument.FromJwks,
                    KeyTiming.ForFiles,
                    time,
                    logger
                )
                : new(
                    issuer.Rules.Issuer,
                    new JwksEndpoint(issuer.Rules.Issuer, issuer.Jwks, devMode).FetchAsync,
                    KeyDocument.FromJwks,
                    fetched,
                    time,
                    logger
                );
    }

    /// <summary>Which rules a token meets.</summary>
    public TokenRouting Routing { get; }

    /// <summary>Every source of keys.</summary>
    public KeySources Sources { get; }

    /// <summary>The keys of one rule set.</summary>
    public KeySource KeysOf(TokenRules rules) => _keys[rules];
}
