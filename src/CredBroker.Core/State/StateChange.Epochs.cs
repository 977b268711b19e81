namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// The store is taken as it is, though its anchor says that it had come further: a new epoch begins. Leases that are
    /// pending become <c>revoking</c> (cause recovery, an event each), open questions to people are taken back (an event
    /// each), every idempotency key is free, and no anchor of the new epoch is known to be written. Guards: the epoch is <see cref="Expected"/>, and the new one is higher.
    /// </summary>
    public sealed record EpochOpened : Transition
    {
        /// <summary>The new epoch.</summary>
        public required long Epoch { get; init; }

        /// <summary>The one until then.</summary>
        public required long Expected { get; init; }

        /// <summary>Who says so.</summary>
        public required string RequestedBy { get; init; }
    }

    /// <summary>
    /// An anchor is in Vault. It has no event: it changes nothing that anybody may do, and an event would have to be
    /// anchored again. Guards: the epoch, no later one is known, and no other Vault was
    /// accepted since.
    /// </summary>
    public sealed record AnchorWritten : Transition
    {
        /// <summary>The anchor's epoch.</summary>
        public required long Epoch { get; init; }

        /// <summary>The anchor's serial.</summary>
        public required long Serial { get; init; }

        /// <summary>When what it was written to was accepted; null where nobody ever changed that.</summary>
        public DateTimeOffset? VaultChangedAt { get; init; }
    }
}
