namespace CredBroker.Core.Policy;

/// <summary>
/// What a rule under <c>enforcement: shadow</c> would have made of a request that it matches. It decided nothing.
/// </summary>
/// <param name="RuleId">The rule.</param>
/// <param name="Effect">What the request would have got, had this rule been in force beside those that are.</param>
/// <param name="Explanation">Why, for the auditor.</param>
public sealed record ShadowOutcome(string RuleId, PolicyEffect Effect, string Explanation);
