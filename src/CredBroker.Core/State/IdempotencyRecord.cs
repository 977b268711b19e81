namespace CredBroker.Core.State;

/// <summary>What an idempotency key led to.</summary>
/// <param name="RequestHash">SHA-256 of the first request's canonical form.</param>
/// <param name="LeaseId">The lease it opened.</param>
public sealed record IdempotencyRecord(string RequestHash, string LeaseId);
