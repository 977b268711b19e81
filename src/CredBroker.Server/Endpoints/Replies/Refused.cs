using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>The reply that refuses a call, in the form that the endpoint's group declares.</summary>
/// <param name="refusal">Why.</param>
/// <param name="decisionId">The recorded decision that refused, where there is one.</param>
internal sealed class Refused(Refusal refusal, string? decisionId = null) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext) =>
        RefusalForm.Of(httpContext).WriteAsync(httpContext, refusal, decisionId);
}
