namespace CredBroker.Client;

/// <content>Owners of processes who are gone.</content>
public sealed partial class AdminClient
{
    /// <summary>Every owner who is gone, the newest first.</summary>
    public ValueTask<RetiredOwnerListResponse> ListRetiredOwnersAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/owners/retired", BrokerJson.Default.RetiredOwnerListResponse, cancellationToken);

    /// <summary>
    /// An owner is gone: their processes are constrained at once, at every broker. Where policy says so, what their agents
    /// hold is revoked. Saying so twice is saying it once.
    /// </summary>
    public ValueTask<RetireOwnerResponse> RetireOwnerAsync(
        OwnerRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/owners/retire",
            request,
            BrokerJson.Default.OwnerRequest,
            BrokerJson.Default.RetireOwnerResponse,
            cancellationToken
        );
    }

    /// <summary>An owner is back: their processes have an owner again.</summary>
    public ValueTask<RetiredOwnerResponse> ReinstateOwnerAsync(
        OwnerRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/owners/reinstate",
            request,
            BrokerJson.Default.OwnerRequest,
            BrokerJson.Default.RetiredOwnerResponse,
            cancellationToken
        );
    }
}
