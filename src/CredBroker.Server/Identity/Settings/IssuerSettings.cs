using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Identity.Settings;

/// <summary>Reads one issuer's options into rules.</summary>
internal static class IssuerSettings
{
    /// <summary>Claims that say something of one token or one login, and not of who has it.</summary>
    private static readonly string[] NewWithEachToken = ["jti", "exp", "iat", "nbf", "nonce", "auth_time", "sid"];

    /// <summary>The rules, or null where <paramref name="faults"/> was told something.</summary>
    public static TokenRules? Read(IssuerOptions options, string commonAudience, bool devMode, SettingFaults faults)
    {
        var people = options.Use == IssuerOptions.ForPeople;
        var audience = options.Audience.Length > 0 || people ? options.Audience : commonAudience;
        faults.Require(
            people || options.Use == IssuerOptions.ForWorkloads,
            "Use",
            $"is '{options.Use}'; write workloads or people"
        );
        faults.Require(
            audience.Length > 0,
            "Audience",
            people
                ? "is missing; write an audience for people, such as credbroker-admin"
                : $"is missing; write it here or in {IdentityOptions.Section}:Audience"
        );
        CheckSource(options, devMode, faults);
        CheckAlgorithms(options.Algorithms, faults);
        IdentitySettings.CheckTimes(options.ClockSkew, options.MaxTokenLifetime, faults);
        if (options.TrustDomain.Length > 0)
        {
            var domain = ReadTrustDomain(options, audience, people, faults);
            return faults.Any ? null : domain;
        }

        faults.Require(
            options.PathTemplate.Length == 0,
            "PathTemplate",
            "is set without a TrustDomain; leave it out, or write the trust domain that the issuer speaks for"
        );
        var required = ReadRequired(options.RequiredClaims, faults);
        var forbidden = ReadPaths("ForbiddenClaims", options.ForbiddenClaims, faults);
        faults.Require(
            !options.AcceptsNoAudience || (!people && required.Any(IsPinned)),
            "AcceptsNoAudience",
            people
                ? "is set, but people's tokens always need an audience of their own; leave it out"
                : "is set, but no entry of RequiredClaims has Values or a Prefix; "
                    + "write which tokens are meant for this broker, such as those of one client_id"
        );
        IssuerRules rules = people ? ReadPeople(options, audience, faults) : ReadWorkloads(options, audience, faults);
        return faults.Any
            ? null
            : rules with
            {
                RequiredClaims = required,
                ForbiddenClaims = forbidden,
                MaxTokenLifetime = options.MaxTokenLifetime,
            };
    }

    private static bool IsPinned(ClaimRequirement claim) => claim.Values.Count > 0 || claim.Prefix.Length > 0;

    /// <summary>The rules of the trust domain that the issuer speaks for: its tokens are JWT-SVIDs.</summary>
    private static TrustDomainRules ReadTrustDomain(
        IssuerOptions options,
        string audience,
        bool people,
        SettingFaults faults
    )
    {
        const string byTheId = "is set, but the SPIFFE IDs of its TrustDomain say who calls; leave it out";
        faults.Require(!people, "TrustDomain", "is set, but the issuer is for people; write workloads as Use");
        faults.Require(
            SpiffeId.IsTrustDomain(options.TrustDomain),
            "TrustDomain",
            $"is '{options.TrustDomain}'; write the bare trust domain, such as agents.example, in lower case"
        );
        faults.Require(options.WorkloadClaim == ClaimPath.Subject.Text, "WorkloadClaim", byTheId);
        faults.Require(options.InstanceClaim.Length == 0, "InstanceClaim", byTheId);
        faults.Require(options.Claims.Count == 0, "Claims", byTheId);
        faults.Require(options.RequiredClaims.Count == 0, "RequiredClaims", byTheId);
        faults.Require(options.ForbiddenClaims.Count == 0, "ForbiddenClaims", byTheId);
        faults.Require(
            !options.AcceptsNoAudience,
            "AcceptsNoAudience",
            "is set, but a JWT-SVID always has an audience"
        );
        return new TrustDomainRules
        {
            TrustDomain = options.TrustDomain,
            Issuer = options.Issuer,
            PathTemplate = IdentitySettings.ReadTemplate(options.PathTemplate, faults),
            Audience = audience,
            Algorithms = AlgorithmsOf(options),
            ClockSkew = options.ClockSkew,
            MaxTokenLifetime = options.MaxTokenLifetime,
        };
    }

    private static WorkloadIssuerRules ReadWorkloads(IssuerOptions options, string audience, SettingFaults faults)
    {
        foreach (var name in options.Claims.Where(name => name.Length == 0 || name.StartsWith('/')))
        {
            faults.Add("Claims", $"names '{name}'; write top-level claims only (policy reaches into them itself)");
        }

        foreach (var name in options.Claims.Where(NewWithEachToken.Contains))
        {
            faults.Add(
                "Claims",
                $"names '{name}', which a new token has anew: an approval is of the claims too, and could not be redeemed "
                    + "with the next token; leave it out"
            );
        }

        faults.Require(
            options.Claims.Distinct(StringComparer.Ordinal).Count() == options.Claims.Count,
            "Claims",
            "names a claim twice; write each once"
        );
        const string peopleOnly = "is set, but the issuer is for workloads; leave it out, or write people as Use";
        faults.Require(options.RolesClaim.Length == 0, "RolesClaim", peopleOnly);
        faults.Require(options.GroupsClaim.Length == 0, "GroupsClaim", peopleOnly);
        faults.Require(options.Roles.Count == 0, "Roles", peopleOnly);
        return new WorkloadIssuerRules
        {
            Issuer = options.Issuer,
            Audience = audience,
            Algorithms = AlgorithmsOf(options),
            ClockSkew = options.ClockSkew,
            WorkloadClaim = ReadPath("WorkloadClaim", options.WorkloadClaim, faults),
            InstanceClaim =
                options.InstanceClaim.Length == 0 ? null : ReadPath("InstanceClaim", options.InstanceClaim, faults),
            VisibleClaims = [.. options.Claims],
            AcceptsNoAudience = options.AcceptsNoAudience,
        };
    }

    private static PeopleIssuerRules ReadPeople(IssuerOptions options, string audience, SettingFaults faults)
    {
        var roles = new Dictionary<PersonRole, IReadOnlyList<string>>();
        foreach (var (name, values) in options.Roles)
        {
            if (!Enum.GetNames<PersonRole>().Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                faults.Add("Roles", $"maps to '{name}'; write admin, approver, auditor or viewer");
            }
            else if (values.Count == 0 || values.Any(v => v.Length == 0))
            {
                faults.Add(
                    $"Roles:{name}",
                    "lists nothing, or an empty value; write the values of RolesClaim that give the role"
                );
            }
            else
            {
                roles[Enum.Parse<PersonRole>(name, ignoreCase: true)] = [.. values];
            }
        }

        faults.Require(
            options.Roles.Count > 0,
            "Roles",
            "is missing; write which values of RolesClaim make an admin, approver, auditor or viewer"
        );
        faults.Require(
            options.Claims.Count == 0,
            "Claims",
            "is set, but policy never sees people's claims; leave it out"
        );
        return new PeopleIssuerRules
        {
            Issuer = options.Issuer,
            Audience = audience,
            Algorithms = AlgorithmsOf(options),
            ClockSkew = options.ClockSkew,
            RolesClaim = ReadPath("RolesClaim", options.RolesClaim, faults),
            GroupsClaim = options.GroupsClaim.Length == 0 ? null : ReadPath("GroupsClaim", options.GroupsClaim, faults),
            Roles = roles,
        };
    }

    private static void CheckSource(IssuerOptions options, bool devMode, SettingFaults faults)
    {
        const string shape =
            "write an https address without query, fragment or user "
            + "(plain http is accepted on loopback in dev mode only)";
        var jwks = options.Jwks;
        var discovery = jwks.Uri.Length == 0 && jwks.File.Length == 0;
        if (options.Issuer.Length == 0 || options.Issuer.Any(char.IsControl))
        {
            faults.Add("Issuer", "is missing or not printable; write the exact 'iss' of its tokens");
        }
        else if (options.Issuer.StartsWith("spiffe:", StringComparison.OrdinalIgnoreCase))
        {
            faults.Add(
                "Issuer",
                $"is '{options.Issuer}'; write a SPIFFE trust domain under {IdentityOptions.Section}:TrustDomains"
            );
        }
        else if (
            discovery
            && (
                options.Issuer.Contains('?', StringComparison.Ordinal)
                || !KeyAddress.TryParse(options.Issuer, devMode, out _)
            )
        )
        {
            faults.Add(
                "Issuer",
                $"is '{options.Issuer}', from which its keys cannot be discovered; "
                    + $"{shape}, or its Jwks:Uri or Jwks:File"
            );
        }

        faults.Require(
            jwks.Uri.Length == 0 || jwks.File.Length == 0,
            "Jwks",
            "has a Uri and a File; write one of them"
        );
        faults.Require(
            jwks.Uri.Length == 0 || KeyAddress.TryParse(jwks.Uri, devMode, out _),
            "Jwks:Uri",
            $"is '{jwks.Uri}'; {shape}"
        );
        faults.Require(
            jwks.File.Length == 0 || (jwks.CaFile.Length == 0 && jwks.TokenFile.Length == 0),
            "Jwks",
            "has a CaFile or TokenFile beside a File; leave them out, nothing is fetched"
        );
    }

    private static void CheckAlgorithms(IList<string> algorithms, SettingFaults faults)
    {
        foreach (var algorithm in algorithms.Where(a => !SigningAlgorithm.All.Contains(a)))
        {
            faults.Add(
                "Algorithms",
                $"names '{algorithm}'; "
                    + $"write some of {string.Join(", ", SigningAlgorithm.All.Order(StringComparer.Ordinal))}"
            );
        }
    }

    private static IReadOnlyList<string> AlgorithmsOf(IssuerOptions options) =>
        options.Algorithms.Count == 0 ? SigningAlgorithm.Default : [.. options.Algorithms];

    private static List<ClaimRequirement> ReadRequired(IList<RequiredClaimOptions> options, SettingFaults faults)
    {
        var required = new List<ClaimRequirement>();
        foreach (var (index, claim) in options.Index())
        {
            faults.Require(
                claim.Values.All(v => v.Length > 0),
                $"RequiredClaims:{index}:Values",
                "has an empty value; write what the claim must equal"
            );
            required.Add(
                new ClaimRequirement(
                    ReadPath($"RequiredClaims:{index}:Claim", claim.Claim, faults),
                    [.. claim.Values],
                    claim.Prefix
                )
            );
        }

        return required;
    }

    private static List<ClaimPath> ReadPaths(string setting, IList<string> texts, SettingFaults faults) =>
        [.. texts.Select(text => ReadPath(setting, text, faults))];

    // What stands in for a path that cannot be read is never used: the fault keeps the server from starting.
    private static ClaimPath ReadPath(string setting, string text, SettingFaults faults)
    {
        if (ClaimPath.TryParse(text, out var path))
        {
            return path;
        }

        faults.Add(
            setting,
            $"is '{text}'; write a claim's name such as azp, or a JSON Pointer such as /kubernetes.io/pod/uid"
        );
        return ClaimPath.Subject;
    }
}
