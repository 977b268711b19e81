using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;
using Microsoft.AspNetCore.Http.Metadata;

namespace CredBroker.Server.Endpoints;

/// <summary>
/// Keeps agents' and people's calls apart where each have a listener of their own: on the other one the call does not
/// exist. What is for anyone, health above all, is answered on both. Comes after routing and before every handler, so
/// that a call on the wrong listener is refused before its token or body is read.
/// </summary>
internal sealed class ListenerGate(RequestDelegate next)
{
    private static readonly Refusal AgentsOnly = new(
        RefusalCode.RouteUnknown,
        "Agents' calls are not answered at this address: it is the people's. Use the agents' address of this broker."
    );

    private static readonly Refusal PeopleOnly = new(
        RefusalCode.RouteUnknown,
        "People's calls are not answered at this address: it is the agents'. Use the people's address of this broker."
    );

    public Task InvokeAsync(HttpContext context)
    {
        var listener = Listener.Of(context);
        var (agents, people) = Callers(context.GetEndpoint());
        if ((!agents && !people) || (agents && listener.ServesAgents) || (people && listener.ServesPeople))
        {
            return next(context);
        }

        return new Problem(agents ? AgentsOnly : PeopleOnly).ExecuteAsync(context);
    }

    // Who may call an endpoint is read off its tags; closing a task is for both.
    private static (bool Agents, bool People) Callers(Endpoint? endpoint)
    {
        var tags = endpoint?.Metadata.GetMetadata<ITagsMetadata>()?.Tags ?? [];
        var both = endpoint?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName == "closeTask";
        return (tags.Contains(BrokerEndpoints.AgentsTag), both || tags.Contains(BrokerEndpoints.PeopleTag));
    }
}
