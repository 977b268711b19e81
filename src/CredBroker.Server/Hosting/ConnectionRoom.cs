using System.Net;
using Microsoft.AspNetCore.Connections;

namespace CredBroker.Server.Hosting;

/// <summary>
/// The connections of one listener: so many in all, and so many from one address. Where there is no room for a new one,
/// the connection that has had nothing to do for longest is cut: one of the same address where that has its share, else
/// one of the address that holds most. A connection has nothing to do while no request of it is worked on: before its
/// handshake, between two requests, in the middle of a header. So whoever only holds connections open keeps nobody out,
/// and a crowded address pays before any other does.
/// </summary>
internal sealed class ConnectionRoom(int max, int maxPerAddress)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ConnectionPeer> _peers = new(StringComparer.Ordinal);
    private int _count;
    private long _idled;

    /// <summary>Takes a connection in; null where all that could make room for it are at work.</summary>
    public OpenConnection? Admit(ConnectionContext connection, Listener listener)
    {
        var address = RemoteAddress.Of((connection.RemoteEndPoint as IPEndPoint)?.Address);
        OpenConnection? cut = null;
        OpenConnection open;
        lock (_gate)
        {
            var peer = _peers.GetValueOrDefault(address);
            if (peer?.Count >= maxPerAddress || _count >= max)
            {
                var crowded = peer?.Count >= maxPerAddress ? peer : Fullest();
                cut = crowded?.Idle.First?.Value;
                if (cut is null)
                {
                    return null;
                }

                Forget(cut);
            }

            peer = _peers.GetValueOrDefault(address);
            if (peer is null)
            {
                _peers[address] = peer = new(address);
            }

            open = new(connection, listener, peer);
            peer.Count++;
            Rest(open);
            _count++;
        }

        // Not under the lock: what hears of it is not ours.
        cut?.Connection.Abort(new ConnectionAbortedException("It was idle, and another connection needed its place."));
        return open;
    }

    /// <summary>A request has come in on the connection.</summary>
    public void Begin(OpenConnection open)
    {
        lock (_gate)
        {
            if (open.AtWork++ == 0 && !open.IsGone)
            {
                open.Peer.Idle.Remove(open.Place);
            }
        }
    }

    /// <summary>A request of the connection is answered.</summary>
    public void End(OpenConnection open)
    {
        lock (_gate)
        {
            if (--open.AtWork == 0 && !open.IsGone)
            {
                Rest(open);
            }
        }
    }

    /// <summary>The connection is closed.</summary>
    public void Leave(OpenConnection open)
    {
        lock (_gate)
        {
            Forget(open);
        }
    }

    private void Rest(OpenConnection open)
    {
        open.IdleSince = _idled++;
        open.Peer.Idle.AddLast(open.Place);
    }

    private void Forget(OpenConnection open)
    {
        if (open.IsGone)
        {
            return;
        }

        open.IsGone = true;
        var peer = open.Peer;
        if (open.AtWork == 0)
        {
            peer.Idle.Remove(open.Place);
        }

        _count--;
        if (--peer.Count == 0)
        {
            _peers.Remove(peer.Address);
        }
    }

    /// <summary>
    /// The address that holds most; of several that hold as many, the one whose connection is idle longest: whoever
    /// comes with an address for each connection cuts his own oldest, not the one that came last.
    /// </summary>
    private ConnectionPeer? Fullest() =>
        _peers.Values.Where(peer => peer.Idle.Count > 0).MaxBy(peer => (peer.Count, -peer.Idle.First!.Value.IdleSince));
}
