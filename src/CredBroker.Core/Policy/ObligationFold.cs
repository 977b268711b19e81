namespace CredBroker.Core.Policy;

/// <summary>
/// Collects the obligations of one decision, as its rules and the gate name them, and keeps the stricter of two of a
/// kind; of approvals it keeps all. The one place that knows which is stricter.
/// </summary>
/// <param name="maxTtl">The catalogue entry's own bound, below which rules may go.</param>
internal struct ObligationFold(TimeSpan maxTtl)
{
    private Obligation.NeedsApproval? _first;
    private List<ApprovalDemand>? _several;
    private string _executor = "";

    /// <summary>The secret's whole life.</summary>
    public TimeSpan MaxTtl { get; private set; } = maxTtl;

    /// <summary>What people have to approve; null while nobody asked for it.</summary>
    public readonly Obligation.NeedsApproval? Approval => _several is null ? _first : new([.. _several]);

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
            case Obligation.NeedsApproval approval when _first is null:
                _first = approval;
                break;
            case Obligation.NeedsApproval approval:
                AddTo(_several ??= [.. _first.Demands], approval);
                break;
            case Obligation.LivesAtMost bound:
                MaxTtl = bound.MaxTtl < MaxTtl ? bound.MaxTtl : MaxTtl;
                break;
            default:
                throw new InvalidOperationException($"Nothing is known of {obligation.GetType().Name}.");
        }
    }

    private void AddTo(List<ApprovalDemand> demands, Obligation.NeedsApproval approval)
    {
        var one = _executor.Length > 0 ? _executor : _first!.Executor;
        var other = approval.Executor;
        ExecutorsDiffer |= one.Length > 0 && other.Length > 0 && !string.Equals(one, other, StringComparison.Ordinal);
        _executor = one.Length > 0 ? one : other;
        demands.AddRange(approval.Demands);
    }
}
