using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CredBroker.Client;

/// <summary>
/// An agent's calls: they need a workload's token. <see cref="AcquireAsync"/> is the one that most agents need; the
/// others are the single calls that it is made of.
/// </summary>
/// <remarks>
/// Nothing is retried: a repeated exchange could mint twice. With <see cref="ExchangeRequest.IdempotencyKey"/> a handler
/// under the <see cref="HttpClient"/> may repeat it; without one, its body can be sent once only.
/// Every method throws <see cref="BrokerProblemException"/> when the broker says no, <see cref="HttpRequestException"/>
/// when it cannot be reached, and <see cref="TokenSourceException"/> when there is no token.
/// </remarks>
/// <param name="connection">Where the broker is and whose token is sent. It is not disposed with the client.</param>
/// <param name="time">The clock that leases are renewed by; the system's unless given.</param>
/// <param name="logger">Told of leases that could not be renewed or released; never of a secret.</param>
public sealed class AgentClient(
    BrokerConnection connection,
    TimeProvider? time = null,
    ILogger<AgentClient>? logger = null
)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromSeconds(1);

    private readonly BrokerConnection _connection = connection ?? throw new ArgumentNullException(nameof(connection));
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly ILogger _logger = logger ?? NullLogger<AgentClient>.Instance;

    /// <summary>
    /// Exchanges the identity token for a secret, and holds it: it is renewed in the background, and given back when
    /// the lease is disposed.
    /// </summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="options">How it is held; the defaults unless given.</param>
    /// <param name="cancellationToken">
    /// Ends the wait. A secret that the broker was already making then lives until it ends by itself, because its lease
    /// is not known here: an idempotency key and another try find it, and give it back.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">An option has a value that it cannot have.</exception>
    public async ValueTask<CredentialLease> AcquireAsync(
        ExchangeRequest request,
        CredentialLeaseOptions? options = null,
        CancellationToken cancellationToken = default
    )
    {
        // Before there is a secret: a lease that could not be disposed would not be given back.
        options ??= new();
        options.Check();
        var issued = await ExchangeAsync(request, cancellationToken).ConfigureAwait(false);
        return new(this, issued, options, _time, _logger);
    }

    /// <summary>What this agent may ask for, as far as policy says it beforehand.</summary>
    public ValueTask<CatalogueResponse> GetCatalogueAsync(CancellationToken cancellationToken = default) =>
        _connection.GetAsync("v1/catalogue", BrokerJson.Default.CatalogueResponse, cancellationToken);

    /// <summary>Exchanges the identity token for a secret, which the caller gives back.</summary>
    /// <exception cref="ApprovalRequiredException">People have to approve it first; nothing was issued.</exception>
    public async ValueTask<ExchangeResponse> ExchangeAsync(
        ExchangeRequest request,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        HttpContent body = request.IdempotencyKey is null
            ? new SentOnceContent(JsonSerializer.SerializeToUtf8Bytes(request, BrokerJson.Default.ExchangeRequest))
            : JsonContent.Create(request, BrokerJson.Default.ExchangeRequest);
        using var response = await _connection
            .SendAsync(HttpMethod.Post, "v1/credentials", body, cancellationToken)
            .ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Accepted)
        {
            throw new ApprovalRequiredException(
                await _connection
                    .ReadAsync(response, BrokerJson.Default.ApprovalRequestResponse, cancellationToken)
                    .ConfigureAwait(false)
            );
        }

        return await _connection
            .ReadAsync(response, BrokerJson.Default.ExchangeResponse, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Where a request for approval stands; the answer may wait as long for it to be decided.</summary>
    /// <param name="approvalId">The request.</param>
    /// <param name="wait">How long the broker waits before it answers; it cuts what is longer than 30 seconds.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<ApprovalStatusResponse> GetRequestAsync(
        string approvalId,
        TimeSpan wait = default,
        CancellationToken cancellationToken = default
    ) =>
        _connection.GetAsync(
            $"v1/requests/{BrokerConnection.Segment(approvalId)}"
                + (wait > TimeSpan.Zero ? $"?wait={WireDuration.Format(wait)}" : ""),
            BrokerJson.Default.ApprovalStatusResponse,
            cancellationToken
        );

    /// <summary>What people have approved and left to the caller, a page at a time, oldest first.</summary>
    /// <param name="cursor">The answer's <see cref="ExecutorRequestListResponse.Next"/>; null for the first page.</param>
    /// <param name="limit">At most this many, 1 to 50; 20 if null.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<ExecutorRequestListResponse> ListRequestsAsync(
        string? cursor = null,
        int? limit = null,
        CancellationToken cancellationToken = default
    )
    {
        string?[] query =
        [
            cursor is null ? null : $"cursor={Uri.EscapeDataString(cursor)}",
            limit is null ? null : string.Create(CultureInfo.InvariantCulture, $"limit={limit}"),
        ];
        var given = string.Join('&', query.Where(part => part is not null));
        return _connection.GetAsync(
            given.Length == 0 ? "v1/requests" : $"v1/requests?{given}",
            BrokerJson.Default.ExecutorRequestListResponse,
            cancellationToken
        );
    }

    /// <summary>
    /// Exchanges the identity token for a secret, and waits for people where they have to approve it first. It ends with
    /// the secret, or with the broker's word why there is none: denied, expired, or not what was approved.
    /// </summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="asked">Told once that people are asked, and who asks what; null tells nobody.</param>
    /// <param name="cancellationToken">Ends the wait. The question stands until its time is over.</param>
    public async ValueTask<ExchangeResponse> ExchangeWhenApprovedAsync(
        ExchangeRequest request,
        Action<ApprovalRequestResponse>? asked = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        ApprovalRequestResponse question;
        try
        {
            return await ExchangeAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (ApprovalRequiredException required)
        {
            question = required.Request;
        }

        asked?.Invoke(question);
        await WaitForApprovalAsync(question.ApprovalId, cancellationToken).ConfigureAwait(false);
        // Whatever was said, the broker decides: only an approved one gives a secret, and any other says why not.
        return await ExchangeAsync(request with { ApprovalId = question.ApprovalId }, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Waits until people have decided a request, or its time is over: where it stands then.</summary>
    /// <param name="approvalId">The request.</param>
    /// <param name="cancellationToken">Ends the wait. The question stands until its time is over.</param>
    public async ValueTask<ApprovalStatusResponse> WaitForApprovalAsync(
        string approvalId,
        CancellationToken cancellationToken = default
    )
    {
        while (true)
        {
            var status = await GetRequestAsync(approvalId, LongestWait, cancellationToken).ConfigureAwait(false);
            if (status.Status is not (ApprovalStatuses.Pending or ApprovalStatuses.SlowDown))
            {
                return status;
            }

            // An answer that waited is no reason to wait here; one that did not is.
            await Task.Delay(
                    status.Status == ApprovalStatuses.SlowDown ? status.Interval : ShortestPause,
                    _time,
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
    }

    /// <summary>The state of one of the caller's leases.</summary>
    public ValueTask<LeaseResponse> GetLeaseAsync(string leaseId, CancellationToken cancellationToken = default) =>
        _connection.GetAsync(Lease(leaseId), BrokerJson.Default.LeaseResponse, cancellationToken);

    /// <summary>Lengthens a secret's life within the decision's limit, under current policy.</summary>
    public ValueTask<LeaseResponse> RenewAsync(
        string leaseId,
        RenewRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            Lease(leaseId) + "/renew",
            request,
            BrokerJson.Default.RenewRequest,
            BrokerJson.Default.LeaseResponse,
            cancellationToken
        );

    /// <summary>
    /// Gives a secret back. <c>revoked</c> means confirmed; <c>revoking</c> that the broker goes on; <c>ended</c> that
    /// nobody could revoke it.
    /// </summary>
    public async ValueTask<ReleaseResponse> ReleaseAsync(string leaseId, CancellationToken cancellationToken = default)
    {
        using var response = await _connection
            .SendAsync(HttpMethod.Delete, Lease(leaseId), null, cancellationToken)
            .ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.NoContent
            ? new() { State = LeaseStates.Revoked }
            : await _connection
                .ReadAsync(response, BrokerJson.Default.ReleaseResponse, cancellationToken)
                .ConfigureAwait(false);
    }

    /// <summary>Reports what was done with a secret; it joins the audit trail.</summary>
    public ValueTask ReportAsync(
        string leaseId,
        ReportRequest request,
        CancellationToken cancellationToken = default
    ) =>
        _connection.PostAsync(
            Lease(leaseId) + "/outcome",
            request,
            BrokerJson.Default.ReportRequest,
            cancellationToken
        );

    /// <summary>
    /// Closes a task: everything issued for it is revoked, and its id is never taken again. Its opener may, and an
    /// admin by <see cref="AdminClient.CloseTaskAsync"/>.
    /// </summary>
    public ValueTask CloseTaskAsync(
        string taskId,
        CloseTaskRequest request,
        CancellationToken cancellationToken = default
    ) => _connection.CloseTaskAsync(taskId, request, cancellationToken);

    private static string Lease(string leaseId) => $"v1/credentials/{BrokerConnection.Segment(leaseId)}";
}
