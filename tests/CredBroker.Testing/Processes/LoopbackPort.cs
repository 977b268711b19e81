using System.Net;
using System.Net.Sockets;

namespace CredBroker.Testing.Processes;

/// <summary>
/// Finds a loopback port that nobody listens on. Another process may take it before it is used, so starters try again
/// on another one.
/// </summary>
internal static class LoopbackPort
{
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
