using System.Runtime.CompilerServices;

namespace CredBroker.Client;

/// <summary>
/// People's calls: an admin's, an auditor's, a viewer's. They need a person's token, and each call the role that the
/// broker asks for. Nothing is retried.
/// </summary>
/// <remarks>
/// Every method throws <see cref="BrokerProblemException"/> when the broker says no, <see cref="HttpRequestException"/>
/// when it cannot be reached, and <see cref="TokenSourceException"/> when there is no token.
/// </remarks>
/// <param name="connection">Where the broker is and whose token is sent. It is not disposed with the client.</param>
/// <param name="time">The clock that a revocation is followed by; the system's unless given.</param>
public sealed partial class AdminClient(BrokerConnection connection, TimeProvider? time = null)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly BrokerConnection _connection = connection ?? throw new ArgumentNullException(nameof(connection));
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <summary>Who holds what: one page, newest first.</summary>
    public ValueTask<LeaseListResponse> ListLeasesAsync(
        LeaseFilter filter,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(filter);
        return _connection.GetAsync(
            "v1/leases" + filter.ToQuery(),
            BrokerJson.Default.LeaseListResponse,
            cancellationToken
        );
    }

    /// <summary>
    /// Orders a revocation. It is durable when this returns; <see cref="GetRevocationAsync"/> tells how far it is.
    /// </summary>
    public ValueTask<RevocationAcceptedResponse> RevokeAsync(
        RevocationRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/revocations",
            request with
            {
                DryRun = null,
            },
            BrokerJson.Default.RevocationRequest,
            BrokerJson.Default.RevocationAcceptedResponse,
            cancellationToken
        );
    }

    /// <summary>What <see cref="RevokeAsync"/> would reach now. Nothing is revoked; the question is recorded.</summary>
    public ValueTask<RevocationResponse> PreviewRevocationAsync(
        RevocationRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/revocations",
            request with
            {
                DryRun = true,
            },
            BrokerJson.Default.RevocationRequest,
            BrokerJson.Default.RevocationResponse,
            cancellationToken
        );
    }

    /// <summary>How far a revocation is, lease by lease.</summary>
    public ValueTask<RevocationResponse> GetRevocationAsync(
        string revocationId,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            $"v1/revocations/{BrokerConnection.Segment(revocationId)}",
            BrokerJson.Default.RevocationResponse,
            cancellationToken
        );

    /// <summary>
    /// A revocation as it goes on, asked for again every second at the latest: it ends with the answer in which every
    /// lease is confirmed. It waits as long as that takes; leave the loop to stop watching, the broker goes on alone.
    /// </summary>
    public async IAsyncEnumerable<RevocationResponse> FollowRevocationAsync(
        string revocationId,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            var progress = await GetRevocationAsync(revocationId, cancellationToken).ConfigureAwait(false);
            yield return progress;
            if (progress.Complete)
            {
                yield break;
            }

            await Task.Delay(pause, _time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Refuses new issuance and renewal of what is selected. To take back what there is as well, in one commit, order
    /// a revocation with <see cref="RevocationRequest.Hold"/>.
    /// </summary>
    public ValueTask<HoldResponse> PlaceHoldAsync(HoldRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/holds",
            request,
            BrokerJson.Default.HoldRequest,
            BrokerJson.Default.HoldResponse,
            cancellationToken
        );
    }

    /// <summary>Every hold in force, newest first.</summary>
    public ValueTask<HoldListResponse> ListHoldsAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/holds", BrokerJson.Default.HoldListResponse, cancellationToken);

    /// <summary>Lifts a hold: what it refused may be issued again.</summary>
    public ValueTask<HoldResponse> LiftHoldAsync(
        string holdId,
        LiftHoldRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            $"v1/holds/{BrokerConnection.Segment(holdId)}/lift",
            request,
            BrokerJson.Default.LiftHoldRequest,
            BrokerJson.Default.HoldResponse,
            cancellationToken
        );
    }

    /// <summary>The open requests that the caller may decide, oldest first.</summary>
    public ValueTask<ApprovalListResponse> ListApprovalsAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/approvals", BrokerJson.Default.ApprovalListResponse, cancellationToken);

    /// <summary>One request that the caller may decide, or might have.</summary>
    public ValueTask<ApprovalResponse> GetApprovalAsync(
        string approvalId,
        CancellationToken cancellationToken = default
    ) => _connection.GetAsync(Approval(approvalId), BrokerJson.Default.ApprovalResponse, cancellationToken);

    /// <summary>Agrees to what has this digest: the one that the person saw.</summary>
    public ValueTask<ApprovalResponse> ApproveAsync(
        string approvalId,
        ApproveRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            Approval(approvalId) + "/approve",
            request,
            BrokerJson.Default.ApproveRequest,
            BrokerJson.Default.ApprovalResponse,
            cancellationToken
        );

    /// <summary>Refuses a request that was not redeemed yet.</summary>
    public ValueTask<ApprovalResponse> DenyApprovalAsync(
        string approvalId,
        DenyApprovalRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            Approval(approvalId) + "/deny",
            request,
            BrokerJson.Default.DenyApprovalRequest,
            BrokerJson.Default.ApprovalResponse,
            cancellationToken
        );

    /// <summary>
    /// Says that the secret of a lease is gone which neither Vault nor its backend can prove gone: the last way out. It
    /// kills nothing, and the lease shows on whose word it is revoked.
    /// </summary>
    public ValueTask<LeaseResponse> ConfirmLeaseAsync(
        string leaseId,
        ConfirmLeaseRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            $"v1/leases/{BrokerConnection.Segment(leaseId)}/confirm",
            request,
            BrokerJson.Default.ConfirmLeaseRequest,
            BrokerJson.Default.LeaseResponse,
            cancellationToken
        );
    }

    /// <summary>
    /// Closes a task in its agents' place: everything issued for it is revoked, and its id is never taken again.
    /// </summary>
    public ValueTask CloseTaskAsync(
        string taskId,
        CloseTaskRequest request,
        CancellationToken cancellationToken = default
    ) => _connection.CloseTaskAsync(taskId, request, cancellationToken);

    /// <summary>The cluster of Vault that the broker's secrets are in, and the one that answers.</summary>
    public ValueTask<VaultClusterResponse> GetVaultClusterAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/vault/cluster", BrokerJson.Default.VaultClusterResponse, cancellationToken);

    /// <summary>Has the broker believe the cluster of Vault that answers. It is on record.</summary>
    public ValueTask<VaultClusterResponse> AcceptVaultClusterAsync(
        AcceptVaultClusterRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/vault/cluster/accept",
            request,
            BrokerJson.Default.AcceptVaultClusterRequest,
            BrokerJson.Default.VaultClusterResponse,
            cancellationToken
        );
    }

    /// <summary>The store's clock and the broker's.</summary>
    public ValueTask<StoreClockResponse> GetClockAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/store/clock", BrokerJson.Default.StoreClockResponse, cancellationToken);

    /// <summary>
    /// Sets the store's clock by the broker's, on the caller's word that the latter is right. It is on record.
    /// </summary>
    public ValueTask<StoreClockResponse> RepairClockAsync(
        RepairClockRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/store/clock/repair",
            request,
            BrokerJson.Default.RepairClockRequest,
            BrokerJson.Default.StoreClockResponse,
            cancellationToken
        );
    }

    /// <summary>How the store stands to its anchor in Vault.</summary>
    public ValueTask<StoreAnchorResponse> GetStoreAnchorAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/store/anchor", BrokerJson.Default.StoreAnchorResponse, cancellationToken);

    /// <summary>
    /// Has the broker go on with a store that is behind its anchor: what it does not have is lost, what it had under way is
    /// revoked. It is on record.
    /// </summary>
    public ValueTask<StoreAnchorResponse> AcceptStoreAsync(
        AcceptStoreRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.PostAsync(
            "v1/store/anchor/accept",
            request,
            BrokerJson.Default.AcceptStoreRequest,
            BrokerJson.Default.StoreAnchorResponse,
            cancellationToken
        );
    }

    /// <summary>The policy in force.</summary>
    public ValueTask<PolicyResponse> GetPolicyAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/policy", BrokerJson.Default.PolicyResponse, cancellationToken);

    /// <summary>Orders to revoke, newest first.</summary>
    /// <param name="before">Only earlier ones: the answer's next.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ValueTask<RevocationOrderListResponse> ListRevocationsAsync(
        long? before = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            Before("v1/revocations", before),
            BrokerJson.Default.RevocationOrderListResponse,
            cancellationToken
        );

    /// <summary>Orders to revoke whose id begins so, newest first; at most 100.</summary>
    public ValueTask<RevocationOrderListResponse> FindRevocationsAsync(
        string idPrefix,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            $"v1/revocations?idPrefix={Uri.EscapeDataString(idPrefix)}",
            BrokerJson.Default.RevocationOrderListResponse,
            cancellationToken
        );

    /// <summary>Versions of the policy that were applied, newest first.</summary>
    /// <param name="before">Only those with a lower number: the answer's next.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public ValueTask<PolicyVersionListResponse> ListPolicyVersionsAsync(
        long? before = null,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            Before("v1/policy/versions", before),
            BrokerJson.Default.PolicyVersionListResponse,
            cancellationToken
        );

    /// <summary>One version of the policy, in force or not.</summary>
    public ValueTask<PolicyResponse> GetPolicyVersionAsync(
        long version,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            $"v1/policy/versions/{version.ToString(System.Globalization.CultureInfo.InvariantCulture)}",
            BrokerJson.Default.PolicyResponse,
            cancellationToken
        );

    /// <summary>Which live leases a document would end if it were applied now. Nothing is changed.</summary>
    public ValueTask<PolicyPreviewResponse> PreviewPolicyAsync(
        PolicyPreviewRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            "v1/policy/preview",
            request,
            BrokerJson.Default.PolicyPreviewRequest,
            BrokerJson.Default.PolicyPreviewResponse,
            cancellationToken
        );

    /// <summary>What policy would say to a request, explained.</summary>
    public ValueTask<EvaluateResponse> EvaluateAsync(
        EvaluateRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            "v1/policy/evaluate",
            request,
            BrokerJson.Default.EvaluateRequest,
            BrokerJson.Default.EvaluateResponse,
            cancellationToken
        );

    /// <summary>Every process of the policy in force.</summary>
    public ValueTask<ProcessListResponse> ListProcessesAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/processes", BrokerJson.Default.ProcessListResponse, cancellationToken);

    /// <summary>
    /// The audit log, line by line, as it is streamed. When the connection breaks after some progress, it goes on after
    /// the last whole record; the lines, each with a line feed, verify as one file. Ends with the export's closing
    /// line.
    /// </summary>
    /// <exception cref="IOException">The connection broke before a record came.</exception>
    public IAsyncEnumerable<AuditExportLine> ExportAuditAsync(
        AuditExportRange range,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(range);
        return new AuditExportReader(_connection).ReadAsync(range, cancellationToken);
    }

    /// <summary>
    /// Requests as they change, as long as the connection holds: first those that wait for the caller, or, with the number
    /// of an earlier event, what has changed since. Whoever goes on connects again, with the last number.
    /// </summary>
    /// <exception cref="IOException">The connection broke, or the broker fell silent.</exception>
    public IAsyncEnumerable<ApprovalEvent> WatchApprovalsAsync(
        long? after = null,
        CancellationToken cancellationToken = default
    ) => new ApprovalEventReader(_connection, _time).ReadAsync(after, cancellationToken);

    private static string Approval(string approvalId) => $"v1/approvals/{BrokerConnection.Segment(approvalId)}";

    private static string Before(string path, long? before) =>
        before is { } number
            ? $"{path}?before={number.ToString(System.Globalization.CultureInfo.InvariantCulture)}"
            : path;
}
