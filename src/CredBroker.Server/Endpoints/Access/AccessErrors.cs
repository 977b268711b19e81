using System.Net.Mime;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Access;

/// <summary>
/// How the Authorization API says that a call failed, which is not how it says no: a status and a message in plain text
/// (section "Error Responses").
/// </summary>
internal static class AccessErrors
{
    private const string RequestId = "X-Request-ID";
    private const int MaxRequestId = 256;

    /// <summary>The form of the group's refusals.</summary>
    public static readonly RefusalForm Form = new()
    {
        MediaType = MediaTypeNames.Text.Plain,
        Body = typeof(string),
        WriteAsync = WriteAsync,
    };

    /// <summary>Names the request in the answer as its caller did (section "Request Identification").</summary>
    public static void Identify(HttpContext http)
    {
        var id = http.Request.Headers[RequestId];
        if (id is [{ Length: > 0 and <= MaxRequestId } text] && !text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            http.Response.Headers[RequestId] = text;
        }
    }

    private static Task WriteAsync(HttpContext http, Refusal refusal, string? decisionId)
    {
        Identify(http);
        var (code, _) = Problem.Begin(http, refusal);
        if (code.Status == StatusCodes.Status415UnsupportedMediaType)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
        }

        http.Response.ContentType = $"{MediaTypeNames.Text.Plain}; charset=utf-8";
        return http.Response.WriteAsync($"{refusal.CodeText}: {refusal.Detail}", http.RequestAborted);
    }
}
