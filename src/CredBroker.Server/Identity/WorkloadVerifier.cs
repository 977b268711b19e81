using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Identity;

/// <summary>Turns a workload's bearer token into its identity.</summary>
internal sealed class WorkloadVerifier(IdentityRegistry registry, TokenVerification verification, TimeProvider time)
    : IWorkloadVerifier
{
    private const int RememberedTokens = 16_384;

    private readonly VerifiedTokens<VerificationOutcome> _verified = new(RememberedTokens, time);

    /// <summary>
    /// (1) a token that verified before, under the same keys; (2) strict reading; (3) routing: a SPIFFE subject to its
    /// trust domain, else the exact issuer; (4) header, audience, times, keys, signature; (5) claims.
    /// </summary>
    public async ValueTask<VerificationOutcome> VerifyAsync(IdentityProof proof, CancellationToken cancellationToken)
    {
        if (proof is not IdentityProof.Bearer bearer)
        {
            return Refused(new(RefusalCode.TokenMissing, "Send a bearer token."));
        }

        var text = bearer.Token.Reveal();
        var hash = text.Length <= CompactJws.MaxLength ? TokenHash.Of(text) : "";
        if (_verified.Find(hash) is { } remembered)
        {
            return remembered;
        }

        if (!CompactJws.TryRead(text, out var token, out var malformed))
        {
            return Refused(malformed);
        }

        using (token)
        {
            if (registry.Routing.RouteWorkload(token, out var rules, out var spiffeId) is { } unrouted)
            {
                return Refused(unrouted);
            }

            var source = registry.KeysOf(rules!);
            var verdict = await verification.VerifyAsync(token, rules!, source, cancellationToken);
            if (verdict.Refusal is { } unverified)
            {
                return Refused(unverified);
            }

            if (Identify(token, rules!, spiffeId, verdict.Window, hash, out var identity) is { } unidentified)
            {
                return Refused(unidentified);
            }

            var outcome = new VerificationOutcome.Verified(identity!);
            _verified.Remember(hash, outcome, verdict.Window, verdict.Keys!, source);
            return outcome;
        }
    }

    private static Refusal? Identify(
        CompactJws token,
        TokenRules rules,
        SpiffeId? spiffeId,
        TokenWindow window,
        string hash,
        out WorkloadIdentity? identity
    )
    {
        if (rules is WorkloadIssuerRules issuer)
        {
            return issuer.Identify(token, window, hash, out identity);
        }

        identity = ((TrustDomainRules)rules).Identify(spiffeId!, window, hash);
        return null;
    }

    private static VerificationOutcome.Refused Refused(Refusal refusal) => new(refusal);
}
