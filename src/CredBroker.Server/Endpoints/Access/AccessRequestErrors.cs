using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// How the access requests refuse: RFC 9457 problems, of the profile's own types where it has one (section "Error
/// Responses"), and this API's for the rest. The stable code is there in both.
/// </summary>
internal static class AccessRequestErrors
{
    private const string Type = "urn:openid:authzen:access-request:error:";

    /// <summary>The form of the group's refusals.</summary>
    public static readonly RefusalForm Form = new()
    {
        MediaType = Problem.MediaType,
        Body = typeof(ProblemResponse),
        WriteAsync = WriteAsync,
    };

    private static Task WriteAsync(HttpContext http, Refusal refusal, string? decisionId)
    {
        AccessErrors.Identify(http);
        (string Name, int Status)? known = refusal.Code switch
        {
            RefusalCode.NotRequestable => ("not_requestable", StatusCodes.Status400BadRequest),
            RefusalCode.DenialExpired => ("expired_denial", StatusCodes.Status410Gone),
            RefusalCode.DenialBindingInvalid => ("invalid_denial_binding", StatusCodes.Status400BadRequest),
            RefusalCode.IdempotencyKeyReused => ("duplicate_request", StatusCodes.Status409Conflict),
            RefusalCode.ApprovalNotFound => ("unknown_task", StatusCodes.Status404NotFound),
            RefusalCode.ApprovalExpired => ("task_expired", StatusCodes.Status410Gone),
            RefusalCode.ApprovalOver => ("invalid_task_state", StatusCodes.Status409Conflict),
            _ => null,
        };
        if (known is not { } problem)
        {
            return Problem.WriteAsync(http, refusal, decisionId);
        }

        var (code, retryAfter) = Problem.Begin(http, refusal);
        http.Response.StatusCode = problem.Status;
        var body = new ProblemResponse
        {
            Type = Type + problem.Name,
            Title = code.Title,
            Status = problem.Status,
            Detail = refusal.Detail,
            Code = refusal.CodeText,
            RetryAfter = retryAfter,
            TraceId = RequestOrigin.TraceId(http),
            DecisionId = decisionId,
        };
        return http.Response.WriteAsJsonAsync(
            body,
            BrokerJson.Default.ProblemResponse,
            Problem.MediaType,
            http.RequestAborted
        );
    }
}
