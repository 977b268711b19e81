using System.Globalization;
using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;

namespace CredBroker.Server.Endpoints.Owners;

/// <summary>Refusals in SCIM's form; the stable code leads the detail.</summary>
internal static class ScimErrors
{
    /// <summary>SCIM's media type.</summary>
    public const string MediaType = "application/scim+json";

    /// <summary>The form of the group's refusals.</summary>
    public static readonly RefusalForm Form = new()
    {
        MediaType = MediaType,
        Body = typeof(ScimError),
        WriteAsync = WriteAsync,
    };

    private static Task WriteAsync(HttpContext http, Refusal refusal, string? decisionId)
    {
        var (code, _) = Problem.Begin(http, refusal);
        return http.Response.WriteAsJsonAsync(
            new ScimError(
                ["urn:ietf:params:scim:api:messages:2.0:Error"],
                code.Status.ToString(CultureInfo.InvariantCulture),
                $"{refusal.CodeText}: {refusal.Detail}"
            ),
            ScimJson.Default.ScimError,
            MediaType,
            http.RequestAborted
        );
    }
}
