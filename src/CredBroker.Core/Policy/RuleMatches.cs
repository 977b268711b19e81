namespace CredBroker.Core.Policy;

/// <summary>The rules that match one request: who denies, who challenges, who allows, and what they ask together.</summary>
internal sealed class RuleMatches(PolicyInputs inputs)
{
    private PolicyRule? _first;
    private List<string>? _ids;
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
    public IReadOnlyList<string> Ids => _ids ?? _first?.Alone ?? [];

    public void Add(PolicyRule rule)
    {
        if (_first is not null)
        {
            _ids ??= [_first.Id];
            _ids.Add(rule.Id);
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
        _obligations.Add(approval);
        return approval is not null;
    }
}
