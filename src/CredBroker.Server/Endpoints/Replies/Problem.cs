using System.Globalization;
using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Callers;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// The one place where a refusal becomes a problem: RFC 9457 <c>application/problem+json</c> with the stable code, and
/// the status and title that the table of codes gives it.
/// </summary>
internal static class Problem
{
    public const string MediaType = "application/problem+json";

    public static Task WriteAsync(HttpContext http, Refusal refusal, string? decisionId) =>
        WriteAsync(http, refusal, decisionId, null);

    /// <summary>The same, with all that is wrong with a document that was sent.</summary>
    public static Task WriteAsync(HttpContext http, Refusal refusal, string? decisionId, IReadOnlyList<string>? faults)
    {
        var (code, retryAfter) = Begin(http, refusal);
        var body = new ProblemResponse
        {
            Type = $"urn:credbroker:problem:{refusal.CodeText}",
            Title = code.Title,
            Status = code.Status,
            Detail = refusal.Detail,
            Code = refusal.CodeText,
            RetryAfter = retryAfter,
            TraceId = RequestOrigin.TraceId(http),
            DecisionId = decisionId,
            Faults = faults,
        };
        return http.Response.WriteAsJsonAsync(body, BrokerJson.Default.ProblemResponse, MediaType, http.RequestAborted);
    }

    /// <summary>Status and headers of a refusal in any form: its entry of the table, and after how many seconds to try again.</summary>
    public static (ErrorCode Code, int? RetryAfter) Begin(HttpContext http, Refusal refusal)
    {
        var code =
            ErrorCodes.Find(refusal.CodeText)
            ?? throw new InvalidOperationException($"{refusal.CodeText} is not in the table of codes.");
        var retryAfter = refusal.RetryAfter is { } wait
            ? (int)Math.Ceiling(Math.Max(1, wait.TotalSeconds))
            : (int?)null;
        var response = http.Response;
        response.StatusCode = code.Status;
        if (retryAfter is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (code.Status == StatusCodes.Status401Unauthorized)
        {
            // RFC 6750 section 3: no error code for a caller that sent no token at all.
            response.Headers.WWWAuthenticate =
                refusal.Code == RefusalCode.TokenMissing ? "Bearer" : "Bearer error=\"invalid_token\"";
        }

        return (code, retryAfter);
    }
}
