using CredBroker.Cel.Syntax;

namespace CredBroker.Core.Policy.Document;

/// <summary>What a rule can match at all, as far as its top-level <c>path == "text"</c> conjuncts say.</summary>
internal sealed class RuleScope
{
    private readonly Dictionary<string, string> _pins = new(StringComparer.Ordinal);
    private readonly bool _isOnlyPins;
    private readonly PolicyDraft _draft;

    public RuleScope(RuleDraft rule, PolicyDraft draft)
    {
        (Draft, _draft) = (rule, draft);
        var found = rule.When!.Pins().ToList();
        _isOnlyPins = found.Count == rule.When.Conjuncts.Count;
        foreach (var (path, text, _) in found)
        {
            if (!_pins.TryAdd(path, text) && _pins[path] != text)
            {
                Fault ??= $"`{path}` cannot be both \"{_pins[path]}\" and \"{text}\"";
            }
        }

        if (rule.When.Conjuncts.Any(conjunct => conjunct is CelExpression.Literal { Value.IsFalse: true }))
        {
            Fault ??= "it says false";
        }

        Fault ??= FaultOfNames();
    }

    public RuleDraft Draft { get; }

    public string Id => Draft.Id.Text;

    /// <summary>Whether it lets anything happen, be it after people have agreed.</summary>
    public bool IsGrant => Draft.Effect != PolicyEffect.Deny;

    /// <summary>Whether it has people decide.</summary>
    public bool Challenges => Draft.Effect == PolicyEffect.Challenge;

    /// <summary>Whether its condition reads anything at all; <c>true</c> does not.</summary>
    public bool Reads => Draft.When!.Expression.All().Any(part => part.Path is not null);

    /// <summary>Why it can never match; null where it may.</summary>
    public string? Fault { get; }

    /// <summary>The processes that it may be for.</summary>
    public IEnumerable<BusinessProcess> Processes =>
        _draft
            .Processes.Select(process => process.Process)
            .Where(process =>
                (!_pins.TryGetValue("task.process", out var name) || name == process.Name)
                && (!_pins.TryGetValue("agent", out var agent) || process.Agents.Contains(agent))
            );

    /// <summary>Whether it may match a request for this entry.</summary>
    public bool Reaches(CatalogueItem item) =>
        _pins.All(pin => ValueOf(item, pin.Key) is not { } value || value == pin.Value);

    /// <summary>The only text that it takes for this path; null where it may take several.</summary>
    public string? PinnedTo(string path) => _pins.GetValueOrDefault(path);

    /// <summary>Whether it certainly matches whatever the other rule matches.</summary>
    public bool Covers(RuleScope other) =>
        _isOnlyPins && Fault is null && _pins.All(pin => other.Implies(pin.Key, pin.Value));

    private bool Implies(string path, string text)
    {
        if (_pins.TryGetValue(path, out var own))
        {
            return own == text;
        }

        var entries = _draft.Credentials.Where(credential => Reaches(credential.Item)).ToList();
        return entries.Count > 0 && entries.TrueForAll(credential => ValueOf(credential.Item, path) == text);
    }

    private string? FaultOfNames()
    {
        if (_pins.TryGetValue("agent", out var agent) && !Processes.Any())
        {
            return $"no process{(_pins.ContainsKey("task.process") ? " of that name" : "")} has an agent `{agent}`";
        }

        return _draft.Credentials.Exists(credential => Reaches(credential.Item))
            ? null
            : "no credential of the catalogue is like that";
    }

    private static string? ValueOf(CatalogueItem item, string path) =>
        path switch
        {
            "credential.name" => item.Entry.Name,
            "credential.engine" => item.Entry.Vault.Engine,
            "credential.access" => item.Access,
            "credential.category" => item.Entry.Category,
            "credential.impact" => item.Impact,
            "credential.revocation" => item.Revocation,
            _ => null,
        };
}
