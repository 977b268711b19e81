namespace CredBroker.Core.Policy;

/// <summary>The rules that match one request: who denies, who challenges, who allows, and what they ask together.</summary>
internal sealed class RuleMatches(PolicyInputs inputs)
{
    private PolicyRule? _first;
    private List<PolicyRule>? _several;
    private ObligationFold _obligations = new(inputs.Credential.Entry.MaxTtl);

    /// <summary>The first deny rule.</summary>
    public PolicyRule? Denies { get; private set; }

    /// <summary>The first challenge rule.</summary>
    public PolicyRule? Challenges { get; private set; }

    /// <summary>The first allow rule.</summary>
    public PolicyRule? Allows { get; private set; }

    /// <summary>The first challenge rule that nobody could approve in this process.</summary>
    public PolicyRule? Unanswerable { get; private set; }

    public ObligationFold Obligations => _obligations;

    /// <summary>The ids of all of them, in the document's order.</summary>
    public IReadOnlyList<string> Ids => _several is null ? _first?.Alone ?? [] : [.. _several.Select(rule => rule.Id)];

    public void Add(PolicyRule rule)
    {
        if (_first is not null)
        {
            _several ??= [_first];
            _several.Add(rule);
        }

        _first ??= rule;
        switch (rule.Effect)
        {
            case PolicyEffect.Deny:
                Denies ??= rule;
                return;
            case PolicyEffect.Challenge:
                Challenges ??= rule;
                Unanswerable ??= Ask(rule.Approval!) ? null : rule;
                break;
            default:
                Allows ??= rule;
                break;
        }

        _obligations.Add(rule.Bound);
    }

    /// <summary>Adds a demand; false where nobody could meet it.</summary>
    public bool Ask(ApprovalClause clause)
    {
        var approval = clause.For(inputs.Process, inputs.Identity);
        // A time box is autonomy for a while: only for what the gate would let run, and for one instance that can be told from others.
        if (approval?.TimeBox is not null && !(inputs.IsGateOpen && inputs.Credential.TakesTimeBoxIn(inputs.Process)))
        {
            approval = new([.. approval.Demands.Select(demand => demand with { TimeBox = null })]);
        }

        _obligations.Add(approval);
        return approval is not null;
    }

    /// <summary>The same and one more, apart.</summary>
    public RuleMatches With(PolicyRule another)
    {
        var both = new RuleMatches(inputs);
        IEnumerable<PolicyRule> own = _several ?? (_first is null ? [] : [_first]);
        foreach (var rule in own.Append(another))
        {
            both.Add(rule);
        }

        return both;
    }
}
