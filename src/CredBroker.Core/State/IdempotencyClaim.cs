namespace CredBroker.Core.State;

/// <summary>An idempotency key as its caller sent it.</summary>
/// <param name="CallerKey">SHA-256 over issuer, subject and instance: keys are unique per verified identity.</param>
/// <param name="Key">The key.</param>
/// <param name="RequestHash">SHA-256 of the request's canonical form.</param>
/// <param name="Replaces">
/// The earlier lease of this key that is over now and may be replaced; null for a first use.
/// </param>
public sealed record IdempotencyClaim(string CallerKey, string Key, string RequestHash, string? Replaces);
