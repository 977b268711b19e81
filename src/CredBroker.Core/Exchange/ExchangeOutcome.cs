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
    /// Not issued yet: a person has to approve this exact request first, and the caller may ask again. Nothing leads
    /// here before approvals are built.
    /// </summary>
    /// <param name="Reference">What the caller asks again with; at least 128 bits, bound to its identity.</param>
    /// <param name="ExpiresAt">When the reference ends.</param>
    /// <param name="DecisionId">The recorded decision.</param>
    public sealed record Challenged(string Reference, DateTimeOffset ExpiresAt, string DecisionId) : ExchangeOutcome;

    /// <summary>Not issued. <paramref name="DecisionId"/> is there when a decision was recorded.</summary>
    public sealed record Refused(Refusal Refusal, string? DecisionId) : ExchangeOutcome;
}
