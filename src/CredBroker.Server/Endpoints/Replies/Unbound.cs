using CredBroker.Core.Requests;

namespace CredBroker.Server.Endpoints.Replies;

/// <summary>
/// Refuses an agent's request that could not be bound, so that nobody has verified who sent it. Returned by a handler;
/// the filter of its group puts it on record.
/// </summary>
internal sealed class Unbound(Refusal refusal) : IResult
{
    public Refusal Refusal => refusal;

    public Task ExecuteAsync(HttpContext httpContext) => new Refused(refusal).ExecuteAsync(httpContext);
}
