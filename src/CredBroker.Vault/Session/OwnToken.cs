using CredBroker.Core.Text;
using CredBroker.Vault.Http;

namespace CredBroker.Vault.Session;

/// <summary>The broker's own token. A class without a printed form.</summary>
internal sealed class OwnToken(SecretText token, TokenFacts facts, DateTimeOffset asOf)
{
    public SecretText Token => token;

    public TokenFacts Facts => facts;

    /// <summary>When it ends unless it is renewed.</summary>
    public DateTimeOffset EndsAt => facts.Ttl == 0 ? DateTimeOffset.MaxValue : asOf + TimeSpan.FromSeconds(facts.Ttl);

    /// <summary>Half of its life is over: time to renew.</summary>
    public bool IsDue(DateTimeOffset now) =>
        facts.Ttl > 0 && EndsAt - now <= TimeSpan.FromSeconds(Math.Max(facts.CreationTtl, facts.Ttl) / 2.0);
}
