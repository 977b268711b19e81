namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// A denial that people could be asked about is remembered for a while. It has no event: nothing comes of it but by a
    /// request, which has one. Guard: there is room, of the workload and in all; the caller's own oldest one makes room.
    /// </summary>
    public sealed record EvaluationNoted : Transition
    {
        /// <summary>The denial.</summary>
        public required AccessEvaluation Evaluation { get; init; }

        /// <summary>The workload that the caller is an instance of, as a digest.</summary>
        public required string WorkloadKey { get; init; }
    }

    /// <summary>
    /// A request was submitted for a denial, which is used up by it; commits with the question to people, or where that is
    /// open already, alone. Guards: it is this caller's, in time and not used; the caller's key was not used; the question
    /// has room for another callback.
    /// </summary>
    public sealed record EvaluationUsed : Transition
    {
        /// <summary>Which denial.</summary>
        public required string EvaluationId { get; init; }

        /// <summary>Who submits, as <see cref="Approval.CallerKeyOf"/> says it.</summary>
        public required string CallerKey { get; init; }

        /// <summary>The question to people.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>Digest of the caller's idempotency key; null where it gave none.</summary>
        public required string? KeyDigest { get; init; }

        /// <summary>Digest of what was submitted.</summary>
        public required string BodyDigest { get; init; }

        /// <summary>Where the caller wants to be told what becomes of the question; null where it does not.</summary>
        public AccessCallback? Callback { get; init; }

        /// <summary>Until when the same key finds the same question.</summary>
        public required DateTimeOffset KeptUntil { get; init; }
    }
}
