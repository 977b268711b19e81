using CredBroker.Client;
using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// How a group of endpoints says no, as metadata: this API in RFC 9457 problems, an OAuth group in RFC 6749's form.
/// </summary>
internal sealed class RefusalForm
{
    /// <summary>RFC 9457 <c>application/problem+json</c>; also what an address outside every group answers.</summary>
    public static readonly RefusalForm Problem = new()
    {
        MediaType = Replies.Problem.MediaType,
        Body = typeof(ProblemResponse),
        WriteAsync = Replies.Problem.WriteAsync,
    };

    /// <summary>The media type of a refusal.</summary>
    public required string MediaType { get; init; }

    /// <summary>Its body, for the OpenAPI document.</summary>
    public required Type Body { get; init; }

    /// <summary>Writes a refusal: status, headers and body. The last is the decision's id, where there is one.</summary>
    public required Func<HttpContext, Refusal, string?, Task> WriteAsync { get; init; }

    /// <summary>The form of the endpoint that a request has reached.</summary>
    public static RefusalForm Of(HttpContext http) =>
        http.GetEndpoint()?.Metadata.GetMetadata<RefusalForm>() ?? Problem;
}
