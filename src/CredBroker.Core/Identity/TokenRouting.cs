using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace CredBroker.Core.Identity;

/// <summary>
/// Which rules a token meets. An unverified <c>sub</c> that begins with <c>spiffe:</c> leads to its trust domain and
/// nowhere else, even where its <c>iss</c> is configured; anything else goes by its exact <c>iss</c>.
/// </summary>
public sealed class TokenRouting
{
    private readonly FrozenDictionary<string, TrustDomainRules> _trustDomains;
    private readonly FrozenDictionary<string, WorkloadIssuerRules> _workloadIssuers;
    private readonly FrozenDictionary<string, PeopleIssuerRules> _peopleIssuers;

    /// <summary>Takes at most one rule set per trust domain, and per issuer and kind.</summary>
    public TokenRouting(IEnumerable<TrustDomainRules> trustDomains, IEnumerable<IssuerRules> issuers)
    {
        _trustDomains = trustDomains.ToFrozenDictionary(r => r.TrustDomain);
        _workloadIssuers = issuers.OfType<WorkloadIssuerRules>().ToFrozenDictionary(r => r.Issuer);
        _peopleIssuers = issuers.OfType<PeopleIssuerRules>().ToFrozenDictionary(r => r.Issuer);
    }

    /// <summary>
    /// The rules for a token that a workload sent. For a JWT-SVID <paramref name="id"/> is its subject.
    /// </summary>
    public Refusal? RouteWorkload(CompactJws token, out TokenRules? rules, out SpiffeId? id)
    {
        (rules, id) = (null, null);
        if (!IsSpiffe(token.Claims, out var subject))
        {
            return RouteByIssuer(token.Claims, _workloadIssuers, _peopleIssuers, out rules);
        }

        if (!SpiffeId.TryParse(subject, out id, out var fault))
        {
            return new(RefusalCode.SubjectInvalid, $"The token's 'sub' is no SPIFFE ID: {fault}.");
        }

        if (id.Path.Length == 0)
        {
            return new(
                RefusalCode.SubjectInvalid,
                "The token's 'sub' is a trust domain, not a workload: its SPIFFE ID has no path."
            );
        }

        if (!_trustDomains.TryGetValue(id.TrustDomain, out var trustDomain))
        {
            return new(RefusalCode.TrustDomainUnknown, "The token's SPIFFE trust domain is not configured here.");
        }

        rules = trustDomain;
        return null;
    }

    /// <summary>The rules for a token that a person sent.</summary>
    public Refusal? RoutePerson(CompactJws token, out PeopleIssuerRules? rules)
    {
        rules = null;
        if (IsSpiffe(token.Claims, out _))
        {
            return WrongKind();
        }

        var refusal = RouteByIssuer(token.Claims, _peopleIssuers, _workloadIssuers, out var found);
        rules = found as PeopleIssuerRules;
        return refusal;
    }

    private static Refusal? RouteByIssuer<TWanted, TOther>(
        JsonElement claims,
        FrozenDictionary<string, TWanted> wanted,
        FrozenDictionary<string, TOther> other,
        out TokenRules? rules
    )
        where TWanted : IssuerRules
        where TOther : IssuerRules
    {
        rules = null;
        if (!claims.TryGetProperty("iss", out var issuer) || issuer.ValueKind != JsonValueKind.String)
        {
            return new(RefusalCode.IssuerUnknown, "The token has no 'iss'.");
        }

        var name = issuer.GetString()!;
        if (wanted.TryGetValue(name, out var found))
        {
            rules = found;
            return null;
        }

        return other.ContainsKey(name)
            ? WrongKind()
            : new(RefusalCode.IssuerUnknown, "The token's issuer is not configured here.");
    }

    private static bool IsSpiffe(JsonElement claims, [NotNullWhen(true)] out string? subject)
    {
        subject =
            claims.TryGetProperty("sub", out var sub) && sub.ValueKind == JsonValueKind.String ? sub.GetString() : null;
        return subject is not null && subject.StartsWith("spiffe:", StringComparison.OrdinalIgnoreCase);
    }

    private static Refusal WrongKind() =>
        new(
            RefusalCode.WrongKindOfIdentity,
            "The token is of the other kind: "
                + "people and workloads use different issuers or audiences, and different endpoints."
        );
}
