namespace CredBroker.Client;

/// <summary>
/// A lease as it stands: never the secret. The agent that holds it sees what concerns it; <see cref="Holder"/>,
/// <see cref="Owner"/>, <see cref="RuleId"/> and <see cref="Vault"/> are there only for people with a role.
/// </summary>
public sealed record LeaseResponse
{
    /// <summary>The lease's id.</summary>
    public required string LeaseId { get; init; }

    /// <summary>One of <see cref="LeaseStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>The catalogue entry.</summary>
    public required string Credential { get; init; }

    /// <summary>
    /// <c>database</c>, <c>dynamic</c>, <c>pki</c>, <c>kv</c> or <c>token</c>; <c>unknown</c> where the broker's record of
    /// the lease is damaged, of which only people are told.
    /// </summary>
    public required string Engine { get; init; }

    /// <summary>The task that it is for.</summary>
    public required TaskDeclaration Task { get; init; }

    /// <summary>The actions that it was granted for.</summary>
    public required IReadOnlyList<string> Actions { get; init; }

    /// <summary>What the agent said that the actions are about.</summary>
    public string? Resource { get; init; }

    /// <summary>The credential's parameters: which of its secrets it is; absent where there are none.</summary>
    public IReadOnlyDictionary<string, string>? Params { get; init; }

    /// <summary>The decision that allowed it.</summary>
    public required DecisionReference Decision { get; init; }

    /// <summary>When it was recorded, before the secret was made.</summary>
    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>When the secret was issued.</summary>
    public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>When the secret ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>
    /// Until when the backend may still accept it if Vault cannot be reached at <see cref="ExpiresAt"/>.
    /// </summary>
    public DateTimeOffset? GraceUntil { get; init; }

    /// <summary>Where its revocation stands, once one was asked for.</summary>
    public LeaseRevocationResponse? Revocation { get; init; }

    /// <summary>What may still be accepted although the lease is over.</summary>
    public IReadOnlyList<StillValidResponse>? StillValid { get; init; }

    /// <summary>For people with a role: who holds it.</summary>
    public IdentityResponse? Holder { get; init; }

    /// <summary>For people with a role: who answers for the process.</summary>
    public OwnerResponse? Owner { get; init; }

    /// <summary>For people with a role: the rule that allowed it.</summary>
    public string? RuleId { get; init; }

    /// <summary>For people with a role: what names the secret in Vault.</summary>
    public VaultHandlesResponse? Vault { get; init; }
}
