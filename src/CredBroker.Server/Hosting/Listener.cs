using Microsoft.AspNetCore.Connections;

namespace CredBroker.Server.Hosting;

/// <summary>
/// One address: whose calls it takes, and its own room for connections and for requests, so that no other address's
/// callers use it up.
/// </summary>
internal sealed class Listener(
    bool servesAgents,
    bool servesPeople,
    ListenerOptions options,
    bool servesMetrics = false
)
{
    private static readonly Listener Nowhere = new(servesAgents: false, servesPeople: false, new());

    public bool ServesAgents => servesAgents;

    public bool ServesPeople => servesPeople;

    public bool ServesMetrics => servesMetrics;

    public ConnectionRoom Connections { get; } = new(options.MaxConnections, options.MaxConnectionsPerAddress);

    public RequestRoom Requests { get; } = new(options.MaxRequests, keepsRoomForPeople: servesPeople);

    /// <summary>The listener of a call; one that serves nobody where none has said so.</summary>
    public static Listener Of(HttpContext http) => OpenConnection.Of(http)?.Listener ?? Nowhere;

    /// <summary>Serves a connection, before its handshake, or cuts it where there is no room.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (Connections.Admit(connection, this) is not { } open)
        {
            connection.Abort(new ConnectionAbortedException("There is no room for another connection."));
            return;
        }

        try
        {
            connection.Features.Set(open);
            await next(connection);
        }
        finally
        {
            Connections.Leave(open);
        }
    }
}
