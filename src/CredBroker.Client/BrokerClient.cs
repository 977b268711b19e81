using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Client;

/// <summary>
/// Every call of the broker's API. Agents' calls need a workload's token, admins' calls a person's; one client speaks
/// for one of them. It retries nothing: a repeated exchange could mint twice, and only the caller knows its idempotency
/// key.
/// </summary>
/// <remarks>
/// Every method throws <see cref="BrokerProblemException"/> when the broker says no, <see cref="HttpRequestException"/>
/// when it cannot be reached, and <see cref="InvalidOperationException"/> when the token provider gives no token.
/// </remarks>
public sealed class BrokerClient
{
    private readonly BrokerConnection _connection;

    /// <summary>A client over the caller's <see cref="HttpClient"/>, which it does not dispose.</summary>
    /// <param name="http">
    /// With the broker as its <see cref="HttpClient.BaseAddress"/>: https, or http on loopback only.
    /// </param>
    /// <param name="token">
    /// Gives the bearer token. It is asked again for each call, because workload tokens are short-lived and replaced
    /// under one's feet.
    /// </param>
    /// <exception cref="ArgumentException">The base address is missing, or would send tokens in clear.</exception>
    public BrokerClient(HttpClient http, Func<CancellationToken, ValueTask<string>> token)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(token);
        _connection = new(http, token);
    }

    /// <summary>Exchanges the identity token for a secret.</summary>
    public ValueTask<ExchangeResponse> ExchangeAsync(
        ExchangeRequest request,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            "v1/credentials",
            request,
            BrokerJson.Default.ExchangeRequest,
            BrokerJson.Default.ExchangeResponse,
            cancellationToken
        );

    /// <summary>The state of one of the caller's leases.</summary>
    public ValueTask<LeaseResponse> GetLeaseAsync(string leaseId, CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Get,
            Lease(leaseId),
            null,
            BrokerJson.Default.LeaseResponse,
            cancellationToken
        );

    /// <summary>Lengthens a secret's life within the decision's limit, under current policy.</summary>
    public ValueTask<LeaseResponse> RenewAsync(
        string leaseId,
        RenewRequest request,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
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
            : await BrokerConnection
                .ReadAsync(response, BrokerJson.Default.ReleaseResponse, cancellationToken)
                .ConfigureAwait(false);
    }

    /// <summary>Reports what was done with a secret; it joins the audit trail.</summary>
    public ValueTask ReportOutcomeAsync(
        string leaseId,
        OutcomeRequest request,
        CancellationToken cancellationToken = default
    ) => PostAsync(Lease(leaseId) + "/outcome", request, BrokerJson.Default.OutcomeRequest, cancellationToken);

    /// <summary>
    /// Closes a task: everything issued for it is revoked, and its id is never taken again. By its opener, or by an
    /// admin.
    /// </summary>
    public ValueTask CloseTaskAsync(
        string taskId,
        CloseTaskRequest request,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync($"v1/tasks/{Segment(taskId)}/close", request, BrokerJson.Default.CloseTaskRequest, cancellationToken);

    /// <summary>Who holds what: one page, newest first.</summary>
    public ValueTask<LeaseListResponse> ListLeasesAsync(
        LeaseFilter filter,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(filter);
        return _connection.SendAsync(
            HttpMethod.Get,
            "v1/leases" + filter.ToQuery(),
            null,
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
        return PostAsync(
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
        return PostAsync(
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
        _connection.SendAsync(
            HttpMethod.Get,
            $"v1/revocations/{Segment(revocationId)}",
            null,
            BrokerJson.Default.RevocationResponse,
            cancellationToken
        );

    /// <summary>The policy in force.</summary>
    public ValueTask<PolicyResponse> GetPolicyAsync(CancellationToken cancellationToken = default) =>
        _connection.SendAsync(HttpMethod.Get, "v1/policy", null, BrokerJson.Default.PolicyResponse, cancellationToken);

    /// <summary>What policy would say to a request, explained.</summary>
    public ValueTask<EvaluateResponse> EvaluateAsync(
        EvaluateRequest request,
        CancellationToken cancellationToken = default
    ) =>
        PostAsync(
            "v1/policy/evaluate",
            request,
            BrokerJson.Default.EvaluateRequest,
            BrokerJson.Default.EvaluateResponse,
            cancellationToken
        );

    /// <summary>Every process of the policy in force.</summary>
    public ValueTask<ProcessListResponse> ListProcessesAsync(CancellationToken cancellationToken = default) =>
        _connection.SendAsync(
            HttpMethod.Get,
            "v1/processes",
            null,
            BrokerJson.Default.ProcessListResponse,
            cancellationToken
        );

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

    /// <summary>How the broker is: no token is sent. 503 is an answer, not an exception.</summary>
    /// <param name="probe"><c>live</c>, <c>ready</c> or <c>issuing</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public ValueTask<HealthResponse> GetHealthAsync(string probe, CancellationToken cancellationToken = default) =>
        _connection.GetHealthAsync($"health/{Segment(probe)}", cancellationToken);

    private static string Lease(string leaseId) => $"v1/credentials/{Segment(leaseId)}";

    /// <summary>
    /// One path segment. Dots alone would climb out of the path, so they are refused like the empty text.
    /// </summary>
    private static string Segment(string id) =>
        string.IsNullOrEmpty(id) || id is "." or ".."
            ? throw new ArgumentException("An id is not empty and not only dots.", nameof(id))
            : Uri.EscapeDataString(id);

    private async ValueTask PostAsync<TRequest>(
        string path,
        TRequest request,
        JsonTypeInfo<TRequest> type,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        (
            await _connection
                .SendAsync(HttpMethod.Post, path, JsonContent.Create(request, type), cancellationToken)
                .ConfigureAwait(false)
        ).Dispose();
    }

    private ValueTask<TResponse> PostAsync<TRequest, TResponse>(
        string path,
        TRequest request,
        JsonTypeInfo<TRequest> requestType,
        JsonTypeInfo<TResponse> responseType,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(request);
        return _connection.SendAsync(
            HttpMethod.Post,
            path,
            JsonContent.Create(request, requestType),
            responseType,
            cancellationToken
        );
    }
}
