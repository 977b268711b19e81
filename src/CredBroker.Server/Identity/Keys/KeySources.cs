using CredBroker.Core.Identity;
using CredBroker.Server.Identity.Settings;

namespace CredBroker.Server.Identity.Keys;

/// <summary>
/// The configured issuers and trust domains at work, each with a source of keys of its own: no two share one, even where
/// the settings name the same file twice.
/// </summary>
internal sealed partial class KeySources
{
    private readonly List<KeySource> _all = [];
    private readonly List<TrustedIssuer> _issuers = [];
    private readonly List<KeySource> _workloads = [];

    public KeySources(
        IdentitySettings settings,
        KeyRefreshOptions refresh,
        bool devMode,
        TimeProvider time,
        ILogger<KeySource> logger
    )
    {
        var fetched = new KeyTiming(refresh.Interval, refresh.CoolDown, refresh.Timeout, refresh.MaxStale);
        foreach (var (rules, bundleFile, jwks) in settings.TrustDomains)
        {
            if (jwks is null)
            {
                Add(rules, ReadFile(bundleFile), new BundleSequence().Read, KeyTiming.ForFiles);
            }
            else
            {
                AddIssuer(rules, rules.Issuer!, jwks);
            }
        }

        foreach (var (rules, jwks) in settings.Issuers)
        {
            AddIssuer(rules, rules.Issuer, jwks);
            if (rules is WorkloadIssuerRules { AcceptsNoAudience: true })
            {
                LogNoAudience(logger, rules.Issuer);
            }
        }

        void AddIssuer(TokenRules rules, string issuer, JwksOptions jwks)
        {
            if (jwks.File.Length > 0)
            {
                Add(rules, ReadFile(jwks.File), KeyDocument.FromJwks, KeyTiming.ForFiles);
            }
            else
            {
                Add(rules, new JwksFetcher(issuer, jwks, devMode).FetchAsync, KeyDocument.FromJwks, fetched);
            }
        }

        static Func<CancellationToken, Task<ReadOnlyMemory<byte>>> ReadFile(string path) =>
            cancellationToken => KeyFile.ReadAsync(path, cancellationToken);

        void Add(
            TokenRules rules,
            Func<CancellationToken, Task<ReadOnlyMemory<byte>>> fetch,
            Func<ReadOnlyMemory<byte>, KeyDocument> parse,
            KeyTiming timing
        )
        {
            var source = new KeySource(rules.IssuerName, fetch, parse, timing, time, logger);
            _all.Add(source);
            _issuers.Add(new TrustedIssuer(rules, source));
            if (rules is not PeopleIssuerRules)
            {
                _workloads.Add(source);
            }
        }
    }

    /// <summary>Every source, to be read again when it is due.</summary>
    public IReadOnlyList<KeySource> All => _all;

    /// <summary>Every issuer and trust domain, for the verifiers.</summary>
    public IReadOnlyList<TrustedIssuer> Issuers => _issuers;

    /// <summary>How long ago the keys were read that were read longest ago; null where none were.</summary>
    public TimeSpan? OldestRead => _all.Select(source => source.ReadAgo).Max();

    /// <summary>
    /// Of how many issuers and trust domains of workloads no token can be verified now. Just after the start it waits for
    /// the first reads, as a token would; later it only looks.
    /// </summary>
    public async ValueTask<int> CountWorkloadsWithoutKeysAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(
            _workloads
                .Where(source => source.Current is null)
                .Select(source => source.WaitForFirstReadAsync(cancellationToken))
        );
        return _workloads.Count(source => source.Current is null);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Tokens of {Issuer} are taken WITHOUT an audience (AcceptsNoAudience): one that was issued for another "
            + "service is good here, too, if it meets RequiredClaims"
    )]
    private static partial void LogNoAudience(ILogger logger, string issuer);
}
