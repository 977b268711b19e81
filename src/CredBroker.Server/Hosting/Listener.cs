namespace CredBroker.Server.Hosting;

/// <summary>
/// Whose calls the listener takes that accepted a connection. A feature of the connection, which nothing that a caller
/// sends can change: a host name or a path would be the caller's own word.
/// </summary>
internal sealed record Listener(bool ServesAgents, bool ServesPeople)
{
    /// <summary>The listener of a call; one that serves nobody where none has said so.</summary>
    public static Listener Of(HttpContext http) => http.Features.Get<Listener>() ?? new(false, false);
}
