namespace CredBroker.Client;

public sealed partial class AdminClient
{
    /// <summary>Every open request that the caller may decide, oldest first; those that may be decided together as groups.</summary>
    public ValueTask<ApprovalListResponse> ListGroupedApprovalsAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/approvals?grouped=true", BrokerJson.Default.ApprovalListResponse, cancellationToken);

    /// <summary>Agrees to all of these requests, each by the digest that the person saw, or to none.</summary>
    public ValueTask<ApprovalGroupDecisionResponse> ApproveGroupAsync(
        ApproveGroupRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            "v1/approvals/approve",
            request,
            BrokerJson.Default.ApproveGroupRequest,
            BrokerJson.Default.ApprovalGroupDecisionResponse,
            cancellationToken
        );

    /// <summary>Refuses all of these requests, or none.</summary>
    public ValueTask<ApprovalGroupDecisionResponse> DenyGroupAsync(
        DenyGroupRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            "v1/approvals/deny",
            request,
            BrokerJson.Default.DenyGroupRequest,
            BrokerJson.Default.ApprovalGroupDecisionResponse,
            cancellationToken
        );
}
