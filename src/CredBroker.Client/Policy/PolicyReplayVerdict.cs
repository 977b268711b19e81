namespace CredBroker.Client;

/// <summary>What a policy says to a request of the past.</summary>
/// <param name="Effect">
/// <c>allow</c>, <c>challenge</c>, <c>deny</c>, or <c>approved</c>: allowed because people had agreed to exactly that.
/// </param>
/// <param name="Rule">The rule that decided, or the code of a denial that no rule made; <c>gate</c> where neither did.</param>
public sealed record PolicyReplayVerdict(string Effect, string Rule);
