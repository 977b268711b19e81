using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// Which rules a token meets. An unverified <c>sub</c> that begins with <c>spiffe:</c> leads to its trust domain and
/// nowhere else, even where its <c>iss</c> is configured; anything else goes by its exact <c>iss</c>.
/// </summary>
public sealed class TokenRouting
{
    private readonly Dictionary<string, TrustedDomain> _trustDomains = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TokenRoute<VerificationOutcome>> _workloads = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TokenRoute<PersonOutcome>> _people = new(StringComparer.Ordinal);

    /// <summary>Takes at most one entry for each trust domain, and for each issuer and kind of caller.</summary>
    public TokenRouting(IEnumerable<TrustedIssuer> issuers)
    {
        foreach (var (rules, trust) in issuers)
        {
            switch (rules)
            {
                case TrustDomainRules domain:
                    _trustDomains.Add(domain.TrustDomain, new(domain, trust));
                    break;
                case WorkloadIssuerRules issuer:
                    _workloads.Add(issuer.Issuer, new(issuer, trust, issuer.Identify));
                    break;
                case PeopleIssuerRules issuer:
                    _people.Add(issuer.Issuer, new(issuer, trust, issuer.Identify));
                    break;
                default:
                    throw new ArgumentException($"Unknown rules {rules.GetType().Name}.", nameof(issuers));
            }
        }

        if (_workloads.Any(pair => _people.TryGetValue(pair.Key, out var other) && !AreApart(pair.Value, other)))
        {
            throw new ArgumentException(
                "An issuer of workloads and people needs two audiences, each refused by the other's rules.",
                nameof(issuers)
            );
        }
    }

    private sealed record TrustedDomain(TrustDomainRules Rules, ITrustSource Trust);

    /// <summary>Where a token leads that a workload sent.</summary>
    internal Check<TokenRoute<VerificationOutcome>> RouteWorkload(CompactJws token)
    {
        if (!IsSpiffe(token.Claims, out var subject))
        {
            return RouteByIssuer(token.Claims, _workloads, _people);
        }

        if (!SpiffeId.TryParse(subject, out var id, out var fault))
        {
            return new Refusal(RefusalCode.SubjectInvalid, $"The token's 'sub' is no SPIFFE ID: {fault}.");
        }

        if (id.Path.Length == 0)
        {
            return new Refusal(
                RefusalCode.SubjectInvalid,
                "The token's 'sub' is a trust domain, not a workload: its SPIFFE ID has no path."
            );
        }

        if (!_trustDomains.TryGetValue(id.TrustDomain, out var domain))
        {
            return new Refusal(
                RefusalCode.TrustDomainUnknown,
                "The token's SPIFFE trust domain is not configured here."
            );
        }

        if (
            domain.Rules.Issuer is { } issuer
            && !(token.Claims.TryGetProperty("iss", out var iss) && IsText(iss, issuer))
        )
        {
            return new Refusal(
                RefusalCode.IssuerUnknown,
                "The token's 'iss' is not the issuer that speaks for its SPIFFE trust domain here."
            );
        }

        return Passed<VerificationOutcome>(
            new(domain.Rules, domain.Trust, verified => domain.Rules.Identify(verified, id))
        );
    }

    /// <summary>Where a token leads that a person sent.</summary>
    internal Check<TokenRoute<PersonOutcome>> RoutePerson(CompactJws token) =>
        IsSpiffe(token.Claims, out _) ? WrongKind() : RouteByIssuer(token.Claims, _people, _workloads);

    // Only the audience tells one issuer's two kinds of token apart; without it a person would pass for a workload.
    private static bool AreApart(TokenRoute<VerificationOutcome> workloads, TokenRoute<PersonOutcome> people) =>
        (workloads.Rules, people.Rules) is (IssuerRules one, IssuerRules other)
        && one.Audience != other.Audience
        && one.OtherKindsAudience == other.Audience
        && other.OtherKindsAudience == one.Audience;

    private static Check<TokenRoute<TWanted>> RouteByIssuer<TWanted, TOther>(
        JsonElement claims,
        Dictionary<string, TokenRoute<TWanted>> wanted,
        Dictionary<string, TokenRoute<TOther>> other
    )
    {
        if (!claims.TryGetProperty("iss", out var issuer) || issuer.ValueKind != JsonValueKind.String)
        {
            return new Refusal(RefusalCode.IssuerUnknown, "The token's 'iss' is missing or not a text.");
        }

        var name = issuer.GetString() ?? "";
        if (wanted.TryGetValue(name, out var route))
        {
            return Passed(route);
        }

        return other.ContainsKey(name)
            ? WrongKind()
            : new Refusal(RefusalCode.IssuerUnknown, "The token's issuer is not configured here.");
    }

    private static bool IsText(JsonElement value, string text) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static Check<TokenRoute<TOutcome>>.Passed Passed<TOutcome>(TokenRoute<TOutcome> route) => new(route);

    private static bool IsSpiffe(JsonElement claims, [NotNullWhen(true)] out string? subject)
    {
        subject =
            claims.TryGetProperty("sub", out var sub) && sub.ValueKind == JsonValueKind.String ? sub.GetString() : null;
        return subject is not null && subject.StartsWith("spiffe:", StringComparison.OrdinalIgnoreCase);
    }

    private static Refusal WrongKind() =>
        new(
            RefusalCode.WrongKindOfIdentity,
            "The token is of the other kind: people and workloads use different issuers or audiences, and different endpoints."
        );
}
