namespace CredBroker.Core.Identity.Verification;

/// <summary>
/// For how long tokens that verified are remembered at all: until something has happened after which each is to be checked
/// anew, as a hold is.
/// </summary>
public sealed class TokenMemory
{
    private int _round;

    /// <summary>Counts how often everything was forgotten. What was verified in an earlier round counts no more.</summary>
    internal int Round => Volatile.Read(ref _round);

    /// <summary>Forgets every token that was verified, or began to be, before now.</summary>
    public void Forget() => Interlocked.Increment(ref _round);
}
