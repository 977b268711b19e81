using CredBroker.Core.Requests;
using CredBroker.Server.Endpoints.Replies;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Callers;

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

    private static readonly Refusal NobodyServed = new(
        RefusalCode.RouteUnknown,
        "Neither agents' nor people's calls are answered at this address."
    );

    public Task InvokeAsync(HttpContext context)
    {
        var listener = Listener.Of(context);
        return (CalledBy.Of(context)?.Caller, listener) switch
        {
            (Caller.Agent, { ServesAgents: false }) => new Refused(AgentsOnly).ExecuteAsync(context),
            (Caller.Person, { ServesPeople: false }) => new Refused(PeopleOnly).ExecuteAsync(context),
            (Caller.AgentOrPerson, { ServesAgents: false, ServesPeople: false }) => new Refused(
                NobodyServed
            ).ExecuteAsync(context),
            _ => next(context),
        };
    }
}
