namespace CredBroker.Client;

/// <summary>An order to revoke, without its leases. Its selector's fields are those that are set.</summary>
public sealed record RevocationOrderResponse : LeaseSelection
{
    /// <summary>True: it reaches every lease there is.</summary>
    public bool? Everything { get; init; }

    /// <summary>The order's id.</summary>
    public required string RevocationId { get; init; }

    /// <summary><c>admin</c>, <c>quarantine</c> or <c>task-closed</c>.</summary>
    public required string Cause { get; init; }

    /// <summary>Why, in the words of who ordered it.</summary>
    public required string Reason { get; init; }

    /// <summary>Who ordered it.</summary>
    public required string RequestedBy { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset RequestedAt { get; init; }

    /// <summary>
    /// Since when every lease that it reaches is known and claimed for it; absent while the broker is still looking. How
    /// many of them are confirmed, <c>GET /v1/revocations/{id}</c> tells.
    /// </summary>
    public DateTimeOffset? EnumeratedAt { get; init; }
}

/// <summary><c>GET /v1/revocations</c>: a page of orders, newest first.</summary>
public sealed record RevocationOrderListResponse
{
    /// <summary>The orders.</summary>
    public required IReadOnlyList<RevocationOrderResponse> Orders { get; init; }

    /// <summary>Send it as <c>before</c> for the next page; absent on the last one.</summary>
    public long? Next { get; init; }
}
