using CredBroker.Core.Issuing;
using CredBroker.Core.Requests;
using CredBroker.Core.State;

namespace CredBroker.Core.Exchange;

/// <summary>What became of a request for a credential.</summary>
public abstract record ExchangeOutcome
{
    private ExchangeOutcome() { }

    /// <summary>Issued: the active lease, and the secret for this one reply.</summary>
    public sealed record Issued(Lease Lease, IssuedSecret Secret) : ExchangeOutcome;

    /// <summary>
    /// Not issued yet: people are asked for this exact request, and the caller may redeem what they say.
    /// </summary>
    /// <param name="Approval">The question.</param>
    public sealed record Challenged(Approval Approval) : ExchangeOutcome;

    /// <summary>Not issued. <paramref name="DecisionId"/> is there when a decision was recorded.</summary>
    public sealed record Refused(Refusal Refusal, string? DecisionId) : ExchangeOutcome;
}
