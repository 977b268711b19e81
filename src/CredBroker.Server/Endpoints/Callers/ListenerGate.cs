using CredBroker.Core.Requests;
using CredBroker.Server.Hosting;

namespace CredBroker.Server.Endpoints.Callers;

/// <summary>
/// Keeps agents' and people's calls apart where each have a listener of their own: on the other one the call does not
/// exist. What is for anyone, health above all, is answered on both.
/// </summary>
internal static class ListenerGate
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

    private static readonly Refusal MonitorsOnly = new(
        RefusalCode.RouteUnknown,
        "Metrics are not answered at this address; they have one of their own, where the settings name one."
    );

    /// <summary>Why the listener does not take such a caller's calls; null where it does.</summary>
    public static Refusal? Check(Caller caller, Listener listener) =>
        (caller, listener) switch
        {
            (Caller.Agent, { ServesAgents: false }) => AgentsOnly,
            (Caller.Person, { ServesPeople: false }) => PeopleOnly,
            (Caller.AgentOrPerson, { ServesAgents: false, ServesPeople: false }) => NobodyServed,
            (Caller.Monitor, { ServesMetrics: false }) => MonitorsOnly,
            _ => null,
        };
}
