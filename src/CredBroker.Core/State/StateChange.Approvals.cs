namespace CredBroker.Core.State;

public abstract partial record StateChange
{
    /// <summary>
    /// People are asked. Guards, beside those of <see cref="LeaseOpened"/> (the store's opening, policy version, task, fence, holds), so that
    /// nobody is asked for what would be refused: the same caller has no open question about the same, and there is room
    /// for one more.
    /// </summary>
    public sealed record ApprovalRequested : Transition
    {
        /// <summary>The question.</summary>
        public required Approval Approval { get; init; }

        /// <summary>The store's opening, noted with its fence: the store must not have been reached anew since.</summary>
        public long Opening { get; init; }

        /// <summary>Who must own the task; an unknown one is opened for this owner.</summary>
        public required TaskOwner TaskOwner { get; init; }
    }

    /// <summary>
    /// A person agrees. Guards: pending, in time, the digest is the one the person saw, exactly
    /// <see cref="Expected"/> agreements are there already (whoever saw fewer looks again), the person's is none of them,
    /// the escalated demands are, and no revocation order above its fence and no hold reaches it. It becomes approved if, and only if, all demands
    /// are met by it; <see cref="Completes"/> must say the same.
    /// </summary>
    public sealed record ApprovalAgreed : Transition
    {
        /// <summary>The question.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>What the person saw.</summary>
        public required string Digest { get; init; }

        /// <summary>The yes.</summary>
        public required Agreement Agreement { get; init; }

        /// <summary>How many agreements it was decided upon.</summary>
        public required int Expected { get; init; }

        /// <summary>Whether nobody else has to agree, as the event tells.</summary>
        public required bool Completes { get; init; }

        /// <summary>
        /// The demands that the person may agree to only because nobody has decided for so long: the store looks whether that
        /// is so.
        /// </summary>
        public IReadOnlyList<int> Escalated { get; init; } = [];

        /// <summary>
        /// How many questions this word of the person is about: of a group, that of its last, the newest, is about all, and
        /// those of the others are none of their own.
        /// </summary>
        public int WordAbout { get; init; } = 1;
    }

    /// <summary>
    /// Nobody has decided for so long that more people are asked. Guards: pending and in time, not told yet, and these are
    /// the demands whose moment has come since it last was. Who may agree does not hang on it: it tells.
    /// </summary>
    public sealed record ApprovalEscalated : Transition
    {
        /// <summary>The question.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>Which demands, by their place.</summary>
        public required IReadOnlyList<int> Demands { get; init; }
    }

    /// <summary>A person refuses, before it was redeemed. Guard: open and in time.</summary>
    public sealed record ApprovalDenied : Transition
    {
        /// <summary>The question.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>Who, as in the audit event's actor.</summary>
        public required string DeniedBy { get; init; }

        /// <summary>Why; the agent may see it.</summary>
        public required string Reason { get; init; }

        /// <summary>
        /// How many questions this word of the person is about: of a group, that of its last, the newest, is about all, and
        /// those of the others are none of their own.
        /// </summary>
        public int WordAbout { get; init; } = 1;
    }

    /// <summary>Its time is over. Guard: open, and its end is not ahead of the store's clock.</summary>
    public sealed record ApprovalExpired : Transition
    {
        /// <summary>The question.</summary>
        public required string ApprovalId { get; init; }
    }

    /// <summary>
    /// What it was asked under no longer holds. Guard: open.
    /// </summary>
    public sealed record ApprovalVoided : Transition
    {
        /// <summary>The question.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>What took it back, in one word.</summary>
        public required string Cause { get; init; }

        /// <summary>Whether only where a revocation order above its fence reaches it.</summary>
        public bool OnlyIfFenced { get; init; }

        /// <summary>Whether only while it is not decided, and in time.</summary>
        public bool OnlyIfPending { get; init; }
    }

    /// <summary>
    /// The holder of an approved secret says what it did with it; the question keeps the newest word. No guard: where the
    /// question is gone, the event alone tells it.
    /// </summary>
    public sealed record OutcomeReported : Transition
    {
        /// <summary>The question that the lease stands on.</summary>
        public required string ApprovalId { get; init; }

        /// <summary>The lease.</summary>
        public required string LeaseId { get; init; }

        /// <summary>What it says; its time is the store's.</summary>
        public required ReportedOutcome Outcome { get; init; }
    }

    /// <summary>
    /// What is counted of agents' requests is forgotten. It has no event: each request has its own. No guard.
    /// </summary>
    public sealed record ActivityDropped : Transition
    {
        /// <summary>What was counted before.</summary>
        public required DateTimeOffset Before { get; init; }

        /// <summary>How many rows at most.</summary>
        public required int Limit { get; init; }
    }

    /// <summary>
    /// Questions that were closed long ago leave the store. It has no event: what became of each was told. Its number is
    /// how many are gone. No guard.
    /// </summary>
    public sealed record ApprovalsDropped : Transition
    {
        /// <summary>Those that were closed before.</summary>
        public required DateTimeOffset ClosedBefore { get; init; }

        /// <summary>How many at most.</summary>
        public required int Limit { get; init; }
    }
}
