using CredBroker.Core.Identity;

namespace CredBroker.Core.State;

/// <summary>
/// Reads questions to people. Every member sees what is committed, and nothing else. A row that somebody damaged is not
/// found: what cannot be read was not approved.
/// </summary>
public interface IApprovalReader
{
    /// <summary>One question, or null.</summary>
    ValueTask<Approval?> FindAsync(string approvalId, CancellationToken cancellationToken);

    /// <summary>The open question of this caller about this, or null.</summary>
    ValueTask<Approval?> FindOpenAsync(string callerKey, string digest, CancellationToken cancellationToken);

    /// <summary>Every open question, oldest first; <see cref="Approval.MaxOpen"/> at most.</summary>
    ValueTask<IReadOnlyList<Approval>> ListOpenAsync(CancellationToken cancellationToken);

    /// <summary>Every open question that everybody has agreed to who had to; oldest first, <see cref="Approval.MaxOpen"/> at most.</summary>
    ValueTask<IReadOnlyList<Approval>> ListApprovedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Questions that were changed after this number, in the order of their newest change, and the number to go on from.
    /// </summary>
    ValueTask<(IReadOnlyList<Approval> Changed, long Last)> ListChangedAsync(
        long after,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>How fast this person has decided lately.</summary>
    ValueTask<ApproverPace> FindPaceAsync(string issuer, string subject, CancellationToken cancellationToken);

    /// <summary>
    /// What this instance of an agent has had in the hour before now, and from when on exactly; a credential that it asked
    /// for most comes first, <see cref="AgentActivity.Most"/> at most.
    /// </summary>
    ValueTask<(DateTimeOffset Since, IReadOnlyList<AgentActivity> Activity)> ListActivityAsync(
        WorkloadIdentity instance,
        CancellationToken cancellationToken
    );

    /// <summary>The ids of open questions whose time is over, the first to end first.</summary>
    ValueTask<IReadOnlyList<string>> FindDueAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Open questions that ask more people by now, of which that is not on record; the first to come due first,
    /// <see cref="Approval.MaxOpen"/> at most.
    /// </summary>
    ValueTask<IReadOnlyList<Approval>> FindEscalatedAsync(CancellationToken cancellationToken);

    /// <summary>One denial that a request may be submitted for, or was; or null.</summary>
    ValueTask<AccessEvaluation?> FindEvaluationAsync(string evaluationId, CancellationToken cancellationToken);

    /// <summary>The denial for which this caller submitted a request under this key, or null.</summary>
    ValueTask<AccessEvaluation?> FindSubmittedAsync(
        string callerKey,
        string keyDigest,
        CancellationToken cancellationToken
    );
}
