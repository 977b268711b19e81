using System.Diagnostics.CodeAnalysis;
using CredBroker.Core.Requests;

namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// The outcome of one check on the way from a proof to an identity: passed, with what the check showed, or refused. What
/// was shown cannot be had without asking whether the check passed.
/// </summary>
public abstract record Check<T>
    where T : class
{
    private Check() { }

    /// <summary>The check passed.</summary>
    public sealed record Passed(T Value) : Check<T>;

    /// <summary>It did not, and the proof is refused.</summary>
    public sealed record Refused(Refusal Refusal) : Check<T>;

    /// <summary>Whether the check passed; one of the two is there.</summary>
    public bool Passes([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Refusal? refusal)
    {
        value = (this as Passed)?.Value;
        refusal = (this as Refused)?.Refusal;
        return value is not null;
    }

    /// <summary>A check that refuses.</summary>
    public static implicit operator Check<T>(Refusal refusal) => new Refused(refusal);
}
