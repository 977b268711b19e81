namespace CredBroker.FaultHarness.Watch;

/// <summary>A lease as its row says.</summary>
internal sealed record StoredLease
{
    public required string Id { get; init; }

    public required string State { get; init; }

    public required string Credential { get; init; }

    public required string? Accessor { get; init; }

    public required string? CredentialAccessor { get; init; }

    public required string? VaultLeaseId { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>When it is given up, should it not be active by then.</summary>
    public required DateTimeOffset IssuanceDeadline { get; init; }

    public required DateTimeOffset? ActivatedAt { get; init; }

    public required DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When somebody asked for its end, or it came.</summary>
    public required DateTimeOffset? RequestedAt { get; init; }

    public required DateTimeOffset? ConfirmedAt { get; init; }

    public required string LastError { get; init; }

    /// <summary>The broker's word is that nothing of it is left.</summary>
    public bool IsOver => State is "revoked" or "ended";

    /// <summary>From when on it is to be brought to its end.</summary>
    public DateTimeOffset DueAt
    {
        get
        {
            var end = ActivatedAt is null ? IssuanceDeadline : ExpiresAt ?? IssuanceDeadline;
            return RequestedAt is { } requested && requested < end ? requested : end;
        }
    }
}
