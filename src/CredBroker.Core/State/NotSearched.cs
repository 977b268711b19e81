namespace CredBroker.Core.State;

/// <summary>What an order of everything has not searched for secrets that no record knows. Kept with the order.</summary>
/// <param name="Credential">The catalogue entry; empty where it is not one.</param>
/// <param name="Why">What was not searched and why, and what to do.</param>
public sealed record NotSearched(string Credential, string Why);
