using Microsoft.AspNetCore.Connections;

namespace CredBroker.Server.Hosting;

/// <summary>
/// A connection that a listener has taken in. A feature of the connection, which nothing that a caller sends can change:
/// a host name or a path would be the caller's own word.
/// </summary>
internal sealed class OpenConnection
{
    public OpenConnection(ConnectionContext connection, Listener listener, ConnectionPeer peer)
    {
        (Connection, Listener, Peer) = (connection, listener, peer);
        Place = new(this);
    }

    public ConnectionContext Connection { get; }

    public Listener Listener { get; }

    public ConnectionPeer Peer { get; }

    /// <summary>Its place among its peer's idle connections; in no list while it is at work or gone.</summary>
    public LinkedListNode<OpenConnection> Place { get; }

    /// <summary>When it last came to have nothing to do, in the order of its listener; the lowest is idle longest.</summary>
    public long IdleSince { get; set; }

    /// <summary>How many of its requests are worked on.</summary>
    public int AtWork { get; set; }

    /// <summary>Whether it no longer counts.</summary>
    public bool IsGone { get; set; }

    /// <summary>The connection of a call; null where no listener has taken it in.</summary>
    public static OpenConnection? Of(HttpContext http) => http.Features.Get<OpenConnection>();
}
