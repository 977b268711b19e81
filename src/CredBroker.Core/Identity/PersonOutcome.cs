using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity;

/// <summary>The outcome of verifying a person's token.</summary>
public abstract record PersonOutcome
{
    private PersonOutcome() { }

    /// <summary>The token holds.</summary>
    public sealed record Verified(Person Person) : PersonOutcome;

    /// <summary>The token does not hold, or could not be checked.</summary>
    public sealed record Refused(Refusal Refusal) : PersonOutcome;
}
