namespace CredBroker.Core.Policy;

/// <summary>
/// Collects the obligations of one decision, as its rules and the gate name them, and keeps the stricter of two of a
/// kind; of approvals it keeps all. The one place that knows which is stricter.
/// </summary>
/// <param name="maxTtl">The catalogue entry's own bound, below which rules may go.</param>
internal struct ObligationFold(TimeSpan maxTtl)
{
    /// <summary>The secret's whole life.</summary>
    public TimeSpan MaxTtl { get; private set; } = maxTtl;

    /// <summary>What people have to approve; null while nobody asked for it.</summary>
    public Obligation.NeedsApproval? Approval { get; private set; }

    /// <summary>
    /// Whether two demands name different executors: then no one could redeem an approval, and the request is denied.
    /// </summary>
    public bool ExecutorsDiffer { get; private set; }

    /// <summary>Adds one; null adds none.</summary>
    public void Add(Obligation? obligation)
    {
        switch (obligation)
        {
            case null:
                break;
            case Obligation.NeedsApproval approval:
                ExecutorsDiffer |=
                    Approval?.Executor is { Length: > 0 } one
                    && approval.Executor is { Length: > 0 } other
                    && !string.Equals(one, other, StringComparison.Ordinal);
                Approval = Approval is null ? approval : new([.. Approval.Demands, .. approval.Demands]);
                break;
            case Obligation.LivesAtMost bound:
                MaxTtl = bound.MaxTtl < MaxTtl ? bound.MaxTtl : MaxTtl;
                break;
            default:
                throw new InvalidOperationException($"Nothing is known of {obligation.GetType().Name}.");
        }
    }
}
