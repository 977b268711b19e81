namespace CredBroker.Core.Issuing;

/// <summary>The outcome of a revocation.</summary>
public abstract record RevokeOutcome
{
    private RevokeOutcome() { }

    /// <summary>Vault confirmed that it is gone (a lease that Vault does not know counts).</summary>
    public sealed record Confirmed : RevokeOutcome;

    /// <summary>
    /// The token can mint nothing more, but absence is not proven: no Vault lease id is known. A sweep decides.
    /// </summary>
    public sealed record Unproven : RevokeOutcome
    {
        /// <summary>What an operator can do so that it can be proven; null where nothing can be done.</summary>
        public string? Cure { get; init; }
    }

    /// <summary>It failed; <paramref name="Error"/> holds Vault's or the backend's words, without secrets.</summary>
    public sealed record Failed(string Error) : RevokeOutcome
    {
        /// <summary>Whether no answer came in time: asking again soon would only add to what hangs.</summary>
        public bool IsUnanswered { get; init; }

        /// <summary>Whether nothing was sent.</summary>
        public bool IsNotTried { get; init; }

        /// <summary>
        /// Whether nothing was sent because there was no place at the backend, or it is given a pause: what is due there
        /// stays so, and whoever opens the backend again begins with it.
        /// </summary>
        public bool WasTurnedAway { get; init; }
    }
}
