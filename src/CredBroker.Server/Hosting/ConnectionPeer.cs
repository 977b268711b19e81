namespace CredBroker.Server.Hosting;

/// <summary>The other side of connections: one address, and what it holds open at one listener.</summary>
internal sealed class ConnectionPeer(string address)
{
    public string Address => address;

    public int Count { get; set; }

    /// <summary>Its connections that have nothing to do, the longest idle first.</summary>
    public LinkedList<OpenConnection> Idle { get; } = [];
}
