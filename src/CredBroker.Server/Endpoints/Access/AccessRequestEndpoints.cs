using System.Globalization;
using System.Text.Json;
using CredBroker.Core.Approvals;
using CredBroker.Core.Callers;
using CredBroker.Core.Exchange;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.State;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Input;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Notifications;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// The access requests of the AuthZEN Access Request and Approval Profile: an agent has people asked about a denial of its
/// own. The task is the question that <c>/v1/credentials</c> would have asked, by the same id, and is redeemed there.
/// </summary>
internal static class AccessRequestEndpoints
{
    /// <summary>Where requests are submitted.</summary>
    public const string Path = "/access/v1/requests";

    private const string Json = "application/json";
    private const string Approved = "approved";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes
            .MapPost(Path, SubmitAsync)
            .WithName("submitAccessRequest")
            .WithSummary("Has people asked about a denial of the caller's (AuthZEN access request).")
            .Accepts<AccessSubmitted>(Json)
            .Produces<AccessTaskResponse>(StatusCodes.Status202Accepted);
        routes
            .MapGet($"{Path}/{{task}}", FindAsync)
            .WithName("findAccessRequest")
            .WithSummary("Where an access request stands, for the one who submitted it.")
            .Produces<AccessTaskResponse>();
        routes
            .MapPost($"{Path}/{{task}}/cancel", CancelAsync)
            .WithName("cancelAccessRequest")
            .WithSummary("Takes an access request back that nobody has decided yet.")
            .Accepts<AccessCancel>(isOptional: true, Json)
            .Produces<AccessTaskResponse>();
    }

    private static async Task<IResult> SubmitAsync(
        HttpContext http,
        CallerVerification callers,
        CredentialExchange exchange,
        NotificationOptions notifications,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var agent = CallingAgent.Of(http);
        var read = await RequestBody.ReadAsync(http, AccessJson.Default.AccessSubmitted);
        if (!read.Then(body => Check(body, KeyOf(http))).Passes(out var body, out var fault))
        {
            return new Unbound(fault);
        }

        var verified = await callers.VerifyAsync(agent.Proof, agent.Call, cancellationToken);
        if (verified is not VerificationOutcome.Verified { Identity: var identity })
        {
            return new Refused(((VerificationOutcome.Refused)verified).Refusal);
        }

        if ((AccessMapping.FaultOfSelf(body, identity) ?? FaultOfActor(body.Client?.Actor, identity)) is { } others)
        {
            return new Refused(others);
        }

        var (callback, notCalled) = AccessCallbacks.Of(body.Callback, identity, notifications);
        if (notCalled is not null)
        {
            return new Refused(notCalled);
        }

        var denial = body.Denial;
        var submission = new AccessSubmission
        {
            EvaluationId = denial is { BindingToken: null, EvaluationId: { } id } ? id : "",
            ExpiresAt = denial?.ExpiresAt ?? DateTimeOffset.MaxValue,
            Binding = AccessApprovals.BindingOf(body),
            BodyDigest = AccessSubmission.DigestOf(
                JsonSerializer.SerializeToElement(body, AccessJson.Default.AccessSubmitted)
            ),
            IdempotencyKey = KeyOf(http),
            Callback = callback,
        };
        var command = new ExchangeCommand
        {
            Proof = agent.Proof,
            Task = AccessMapping.Task(body, body.Context?.Process),
            Request = AccessMapping.Request(body),
            Call = agent.Call,
        };
        return await exchange.SubmitAsync(command, submission, cancellationToken) switch
        {
            ExchangeOutcome.Challenged { Approval: var approval } => Submitted(http, approval, store.Position),
            ExchangeOutcome.Refused refused => new Refused(refused.Refusal, refused.DecisionId),
            var other => throw new InvalidOperationException($"Unknown outcome {other.GetType().Name}."),
        };
    }

    private static async Task<IResult> FindAsync(
        string task,
        HttpContext http,
        AccessRequests requests,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var agent = CallingAgent.Of(http);
        var found = await requests.FindAsync(agent.Proof, task, agent.Call, cancellationToken);
        if (!found.Passes(out var status, out var refusal))
        {
            return new Refused(refusal);
        }

        if (status.State == ApprovalState.Pending)
        {
            http.Response.Headers.RetryAfter = ((int)status.Interval.TotalSeconds).ToString(
                CultureInfo.InvariantCulture
            );
        }

        return Answer(http, StatusCodes.Status200OK, status.Approval, store.Position);
    }

    private static async Task<IResult> CancelAsync(
        string task,
        HttpContext http,
        ApprovalRequests requests,
        IBrokerStore store,
        CancellationToken cancellationToken
    )
    {
        var agent = CallingAgent.Of(http);
        if (http.Request.ContentType is not null || http.Request.ContentLength > 0)
        {
            var read = await RequestBody.ReadAsync(http, AccessJson.Default.AccessCancel);
            if (!read.Then(Check).Passes(out _, out var fault))
            {
                return new Unbound(fault);
            }
        }

        var cancelled = await requests.CancelAsync(agent.Proof, task, agent.Call, cancellationToken);
        return cancelled.Passes(out var approval, out var refusal)
            ? Answer(http, StatusCodes.Status200OK, approval, store.Position)
            : new Refused(refusal);

        static Checked<AccessCancel> Check(AccessCancel body)
        {
            var check = new FieldCheck();
            check.Text("reason", body.Reason, FieldCheck.MaxName);
            check.Text("comment", body.Comment, FieldCheck.MaxPurpose);
            return check.Of(body);
        }
    }

    private static Checked<AccessSubmitted> Check(AccessSubmitted body, string? key)
    {
        var check = new FieldCheck();
        check.Require(
            body.Items is null,
            "items: this broker takes one request at a time; send resource and action for each."
        );
        AccessCallbacks.Check(body.Callback, check);
        check.IdempotencyKey(key);
        return (check.Refusal ?? AccessMapping.FaultOf(body) ?? AccessApprovals.FaultOfExchange(body)) is { } fault
            ? fault
            : body;
    }

    /// <summary>The caller's key; several are none that there can be.</summary>
    private static string? KeyOf(HttpContext http) =>
        http.Request.Headers["Idempotency-Key"] is { Count: > 0 } given ? given.ToString() : null;

    /// <summary>An actor is the caller itself and acts for nobody: anything else is not proven by its token.</summary>
    private static Refusal? FaultOfActor(AccessActor? actor, WorkloadIdentity caller) =>
        actor is null
        || (
            (actor.Id == caller.Subject || actor.Id == caller.SpiffeId)
            && (actor.Issuer is null || actor.Issuer == caller.Issuer)
            && actor.Act is null
        )
            ? null
            : NotTheActor;

    private static Reply<AccessTaskResponse> Submitted(HttpContext http, Approval approval, StorePosition now)
    {
        http.Response.Headers.Location = AddressOf(http, approval);
        return Answer(http, StatusCodes.Status202Accepted, approval, now);
    }

    private static Reply<AccessTaskResponse> Answer(HttpContext http, int status, Approval approval, StorePosition now)
    {
        AccessErrors.Identify(http);
        return new(status, Of(approval, now, AddressOf(http, approval)), AccessJson.Default.AccessTaskResponse);
    }

    /// <summary>
    /// What became of it. An approval that was used stays approved; one that was taken back or denied after all does not.
    /// </summary>
    private static AccessTaskResponse Of(Approval approval, StorePosition now, string address)
    {
        var status = StatusOf(approval.StateAt(now));
        return new()
        {
            Task = new()
            {
                Id = approval.Id,
                Status = status,
                StatusEndpoint = address,
                ExpiresAt = approval.ExpiresAt,
                Links = new($"{address}/cancel"),
                Display = approval is { State: ApprovalState.Denied, Reason: { Length: > 0 } reason }
                    ? new(reason)
                    : null,
            },
            Result =
                status == Approved
                    ? new(
                        "reevaluate",
                        new()
                        {
                            Id = approval.Id,
                            ApprovedAt = approval.ApprovedAt,
                            ApprovedUntil = approval.ExpiresAt,
                        }
                    )
                    : null,
        };
    }

    /// <summary>The profile's word. What has none is not approved.</summary>
    internal static string StatusOf(ApprovalState state) =>
        state switch
        {
            ApprovalState.Pending => "pending",
            ApprovalState.Approved or ApprovalState.Redeemed => Approved,
            ApprovalState.Denied => "denied",
            ApprovalState.Expired => "expired",
            ApprovalState.Voided => "cancelled",
            _ => "failed",
        };

    private static string AddressOf(HttpContext http, Approval approval) =>
        $"{http.Request.Scheme}://{http.Request.Host.ToUriComponent()}{Path}/{approval.Id}";

    private static readonly Refusal NotTheActor = new(
        RefusalCode.RoleMissing,
        "client.actor names somebody whom your token does not prove: leave it out, or name yourself and no act."
    );
}
