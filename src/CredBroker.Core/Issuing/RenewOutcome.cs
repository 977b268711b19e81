using CredBroker.Core.Audit;
using CredBroker.Core.Identity;
using CredBroker.Core.Policy;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Core.Text;

namespace CredBroker.Core.Issuing;

/// <summary>The outcome of a renewal.</summary>
public abstract record RenewOutcome
{
    private RenewOutcome() { }

    /// <summary>The secret lives until then.</summary>
    public sealed record Renewed(DateTimeOffset EndsAt) : RenewOutcome;

    /// <summary>It was not renewed.</summary>
    public sealed record Refused(Refusal Refusal) : RenewOutcome;
}
