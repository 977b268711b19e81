namespace CredBroker.Core.Leases;

/// <summary>What may still be accepted after a revocation, by whom and until when: said, never hidden.</summary>
/// <param name="LeaseId">The lease.</param>
/// <param name="Credential">The catalogue entry.</param>
/// <param name="What">Who may still accept it and what to do, such as "rotate secret/payments/api-key".</param>
/// <param name="Until">Until when; null means until it is rotated.</param>
public sealed record StillValid(string LeaseId, string Credential, string What, DateTimeOffset? Until);
