namespace CredBroker.Client;

/// <summary>What a rule under <c>enforcement: shadow</c> would have made of a request. It decides nothing.</summary>
/// <param name="RuleId">The rule.</param>
/// <param name="Effect">What the request would get if the rule were in force: <c>allow</c>, <c>challenge</c> or <c>deny</c>.</param>
/// <param name="Explanation">Why.</param>
public sealed record ShadowRuleResponse(string RuleId, string Effect, string Explanation);
