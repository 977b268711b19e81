using CredBroker.Client;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity.Settings;

/// <summary>
/// <see cref="IdentityOptions"/>, read into rules: either without faults, or with every fault and what to write
/// instead.
/// </summary>
internal sealed class IdentitySettings
{
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(5);

    private readonly List<string> _faults = [];
    private readonly List<ConfiguredTrustDomain> _trustDomains = [];
    private readonly List<ConfiguredIssuer> _issuers = [];
    private readonly List<LoginIssuerResponse> _logins = [];
    private readonly List<ConfiguredDirectory> _directories = [];

    private IdentitySettings() { }

    public IReadOnlyList<string> Faults => _faults;

    public IReadOnlyList<ConfiguredTrustDomain> TrustDomains => _trustDomains;

    public IReadOnlyList<ConfiguredIssuer> Issuers => _issuers;

    /// <summary>Where people log in.</summary>
    public IReadOnlyList<LoginIssuerResponse> Logins => _logins;

    /// <summary>Which directories are asked about people.</summary>
    public IReadOnlyList<ConfiguredDirectory> Directories => _directories;

    /// <summary>Reads the options. <paramref name="devMode"/> permits plain http on loopback.</summary>
    public static IdentitySettings Read(IdentityOptions options, bool devMode)
    {
        var settings = new IdentitySettings();
        var faults = settings._faults;
        foreach (var (index, trustDomain) in options.TrustDomains.Index())
        {
            if (
                ReadTrustDomain(
                    trustDomain,
                    options.Audience,
                    new SettingFaults($"{IdentityOptions.Section}:TrustDomains:{index}", faults)
                ) is
                { } rules
            )
            {
                settings._trustDomains.Add(new ConfiguredTrustDomain(rules, trustDomain.BundleFile));
            }
        }

        foreach (var (index, issuer) in options.Issuers.Index())
        {
            var found = new SettingFaults($"{IdentityOptions.Section}:Issuers:{index}", faults);
            if (LoginSettings.Read(issuer, devMode, found) is { } login)
            {
                settings._logins.Add(login);
            }

            if (ScimSettings.Read(issuer, devMode, found) is { } directory)
            {
                settings._directories.Add(directory);
            }

            switch (IssuerSettings.Read(issuer, options.Audience, devMode, found))
            {
                case TrustDomainRules domain:
                    settings._trustDomains.Add(new ConfiguredTrustDomain(domain, "", issuer.Jwks));
                    break;
                case IssuerRules rules:
                    settings._issuers.Add(new ConfiguredIssuer(rules, issuer.Jwks));
                    break;
                default:
                    break;
            }
        }

        settings.CheckTogether(options);
        settings.SeparateKinds();
        CheckKeyRefresh(options.KeyRefresh, new SettingFaults($"{IdentityOptions.Section}:KeyRefresh", faults));
        return settings;
    }

    internal static void CheckTimes(TimeSpan skew, TimeSpan? maxLifetime, SettingFaults faults)
    {
        faults.Require(
            skew >= TimeSpan.Zero && skew <= MaxClockSkew,
            "ClockSkew",
            $"is {skew}; write a time from 00:00:00 to {MaxClockSkew}"
        );
        faults.Require(
            maxLifetime is null || maxLifetime > TimeSpan.Zero,
            "MaxTokenLifetime",
            "is not positive; write a time such as 01:00:00, or leave it out"
        );
    }

    internal static PathTemplate? ReadTemplate(string text, SettingFaults faults)
    {
        PathTemplate? template = null;
        if (text.Length > 0 && !PathTemplate.TryParse(text, out template, out var fault))
        {
            faults.Add("PathTemplate", $"is '{text}'; write one that {fault}");
        }

        return template;
    }

    private static TrustDomainRules? ReadTrustDomain(
        TrustDomainOptions options,
        string commonAudience,
        SettingFaults faults
    )
    {
        var audience = options.Audience.Length > 0 ? options.Audience : commonAudience;
        faults.Require(
            SpiffeId.IsTrustDomain(options.Name),
            "Name",
            $"is '{options.Name}'; write the bare trust domain, such as agents.example, in lower case"
        );
        faults.Require(
            options.BundleFile.Length > 0,
            "BundleFile",
            "is missing; write the path of the trust domain's SPIFFE bundle"
        );
        faults.Require(
            audience.Length > 0,
            "Audience",
            $"is missing; write the audience of its JWT-SVIDs here or in {IdentityOptions.Section}:Audience"
        );
        var template = ReadTemplate(options.PathTemplate, faults);
        CheckTimes(options.ClockSkew, options.MaxTokenLifetime, faults);
        if (faults.Any)
        {
            return null;
        }

        return new TrustDomainRules
        {
            TrustDomain = options.Name,
            PathTemplate = template,
            Audience = audience,
            Algorithms = [.. SigningAlgorithm.All],
            ClockSkew = options.ClockSkew,
            MaxTokenLifetime = options.MaxTokenLifetime,
        };
    }

    private static void CheckKeyRefresh(KeyRefreshOptions options, SettingFaults faults)
    {
        Bounds("Interval", options.Interval, TimeSpan.FromSeconds(10), TimeSpan.FromDays(1));
        Bounds("CoolDown", options.CoolDown, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        Bounds("Timeout", options.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        Bounds("MaxStale", options.MaxStale, options.Interval, TimeSpan.FromDays(7));

        void Bounds(string name, TimeSpan value, TimeSpan low, TimeSpan high) =>
            faults.Require(value >= low && value <= high, name, $"is {value}; write a time from {low} to {high}");
    }

    private void CheckTogether(IdentityOptions options)
    {
        if (options.TrustDomains.Count == 0 && options.Issuers.All(i => i.Use == IssuerOptions.ForPeople))
        {
            _faults.Add(
                $"{IdentityOptions.Section} names nobody whose workloads may call; "
                    + "write an issuer for workloads or a trust domain."
            );
        }

        // Two sources of keys for one trust domain would be a merged bundle.
        foreach (
            var twice in options
                .TrustDomains.Select(d => d.Name)
                .Concat(options.Issuers.Select(i => i.TrustDomain))
                .GroupBy(name => name)
                .Where(g => g.Key.Length > 0 && g.Count() > 1)
        )
        {
            _faults.Add(
                $"{IdentityOptions.Section} names the trust domain '{twice.Key}' {twice.Count()} times; "
                    + "write one entry for each, under TrustDomains or as an issuer's TrustDomain."
            );
        }

        foreach (
            var twice in options
                .Issuers.GroupBy(i => (i.Issuer, i.Use))
                .Where(g => g.Key.Issuer.Length > 0 && g.Count() > 1)
        )
        {
            _faults.Add(
                $"{IdentityOptions.Section}:Issuers names '{twice.Key.Issuer}' "
                    + $"for {twice.Key.Use} {twice.Count()} times; write one entry for each issuer and use."
            );
        }
    }

    /// <summary>Tells each of an issuer's two kinds about the other's audience, which must differ.</summary>
    private void SeparateKinds()
    {
        for (var i = 0; i < _issuers.Count; i++)
        {
            var rules = _issuers[i].Rules;
            if (
                _issuers.FirstOrDefault(o => o.Rules.Issuer == rules.Issuer && o.Rules.GetType() != rules.GetType())
                is not { } other
            )
            {
                continue;
            }

            if (rules is WorkloadIssuerRules { AcceptsNoAudience: true })
            {
                _faults.Add(
                    $"{IdentityOptions.Section}:Issuers uses '{rules.Issuer}' for people and for workloads, and takes "
                        + "workloads' tokens without an audience, which alone tells the two apart; "
                        + "leave AcceptsNoAudience out."
                );
            }

            _issuers[i] = _issuers[i] with { Rules = rules with { OtherKindsAudience = other.Rules.Audience } };
            if (rules is PeopleIssuerRules && rules.Audience == other.Rules.Audience)
            {
                _faults.Add(
                    $"{IdentityOptions.Section}:Issuers uses '{rules.Issuer}' for people "
                        + $"and for workloads with the same audience '{rules.Audience}'; "
                        + "write an Audience of its own for people, such as 'credbroker-admin'."
                );
            }
        }
    }
}
