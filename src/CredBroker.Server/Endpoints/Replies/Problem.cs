using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// The one place where a refusal becomes HTTP: RFC 9457 <c>application/problem+json</c> with the stable code, and the
/// status and title that the table of codes gives it.
/// </summary>
internal sealed class Problem(Refusal refusal, string? decisionId = null) : IResult
{
    public const string MediaType = "application/problem+json";

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var code =
            ErrorCodes.Find(refusal.CodeText)
            ?? throw new InvalidOperationException($"{refusal.CodeText} is not in the table of codes.");
        var retryAfter = refusal.RetryAfter is { } wait
            ? (int)Math.Ceiling(Math.Max(1, wait.TotalSeconds))
            : (int?)null;
        var response = httpContext.Response;
        response.StatusCode = code.Status;
        if (retryAfter is not null)
        {
            response.Headers.RetryAfter = retryAfter.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (code.Status == StatusCodes.Status401Unauthorized)
        {
            // RFC 6750 section 3: no error code for a caller that sent no token at all.
            response.Headers.WWWAuthenticate =
                refusal.Code == RefusalCode.TokenMissing ? "Bearer" : "Bearer error=\"invalid_token\"";
        }

        var body = new ProblemResponse
        {
            Type = $"urn:credbroker:problem:{refusal.CodeText}",
            Title = code.Title,
            Status = code.Status,
            Detail = refusal.Detail,
            Code = refusal.CodeText,
            RetryAfter = retryAfter,
            TraceId = RequestOrigin.TraceId(httpContext),
            DecisionId = decisionId,
        };
        return response.WriteAsJsonAsync(
            body,
            BrokerJson.Default.ProblemResponse,
            MediaType,
            httpContext.RequestAborted
        );
    }
}
