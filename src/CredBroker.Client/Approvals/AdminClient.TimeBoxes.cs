namespace CredBroker.Client;

/// <content>Time boxes that were given with approvals.</content>
public sealed partial class AdminClient
{
    /// <summary>Open time boxes, oldest first: all of them for who reads leases, for approvers those that they may end.</summary>
    /// <param name="cursor">Continues a list: the answer's next.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ValueTask<TimeBoxListResponse> ListTimeBoxesAsync(
        string? cursor = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            "v1/approvals/boxes" + (cursor is null ? "" : $"?cursor={BrokerConnection.Segment(cursor)}"),
            BrokerJson.Default.TimeBoxListResponse,
            cancellationToken
        );

    /// <summary>
    /// Ends a time box before its time: nothing more is issued in it. Where it is asked for, what was issued is revoked,
    /// too; that it is, its leases say. Saying so twice is saying it once.
    /// </summary>
    public ValueTask<TimeBoxResponse> RevokeTimeBoxAsync(
        string approvalId,
        RevokeTimeBoxRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            Approval(approvalId) + "/revoke-box",
            request,
            BrokerJson.Default.RevokeTimeBoxRequest,
            BrokerJson.Default.TimeBoxResponse,
            cancellationToken
        );
    }
}
