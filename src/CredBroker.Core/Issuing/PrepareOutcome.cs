using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>The outcome of preparing.</summary>
public abstract record PrepareOutcome
{
    private PrepareOutcome() { }

    /// <summary>The child token, or null where the engine needs none.</summary>
    public sealed record Prepared(ChildToken? Child) : PrepareOutcome;

    /// <summary>
    /// No token that could matter exists (a token whose making is unknown has no holder and ends with its TTL).
    /// </summary>
    public sealed record Refused(Refusal Refusal) : PrepareOutcome;
}
