using CredBroker.Core.Identity;
using CredBroker.Server.Identity.Settings;

namespace CredBroker.Server.Identity.Keys;

/// <summary>
/// The configured issuers and trust domains at work, each with a source of keys of its own: no two share one, even where
/// the settings name the same file twice.
/// </summary>
internal sealed class KeySources
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
        foreach (var (rules, bundleFile) in settings.TrustDomains)
        {
            Add(rules, ReadFile(bundleFile), new BundleSequence().Read, KeyTiming.ForFiles);
        }

        foreach (var (rules, jwks) in settings.Issuers)
        {
            if (jwks.File.Length > 0)
            {
                Add(rules, ReadFile(jwks.File), KeyDocument.FromJwks, KeyTiming.ForFiles);
            }
            else
            {
                var fetcher = new JwksFetcher(rules.Issuer, jwks, devMode);
                Add(rules, fetcher.FetchAsync, KeyDocument.FromJwks, fetched);
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
}
