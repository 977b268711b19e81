namespace CredBroker.Core.Policy.Document;

/// <summary>Which of the credentials that a rule reaches take a time box in a process that it may be for, and which in none.</summary>
/// <param name="Takers">Those that take one.</param>
/// <param name="Others">Those that take none.</param>
internal sealed record TimeBoxTakers(IReadOnlyList<string> Takers, IReadOnlyList<string> Others)
{
    public static TimeBoxTakers In(RuleScope rule, PolicyDraft draft)
    {
        var reached = draft
            .Credentials.Select(credential => credential.Item)
            .Where(rule.Reaches)
            .ToLookup(item => rule.Processes.Any(item.TakesTimeBoxIn));
        return new(
            [.. reached[true].Select(item => item.Entry.Name)],
            [.. reached[false].Select(item => item.Entry.Name)]
        );
    }
}
