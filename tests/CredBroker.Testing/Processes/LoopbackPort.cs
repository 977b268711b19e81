using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace CredBroker.Testing.Processes;

/// <summary>
/// Finds a loopback port that nobody listens on, each one once. It lies below those that a system hands out by itself
/// (Linux from 32768, others from 49152): one of those may be a connection's own end before a server has started on it,
/// or while it is stopped to be started again.
/// </summary>
internal static class LoopbackPort
{
    private const int First = 15_000;
    private const int End = 30_000;
    private static readonly ConcurrentDictionary<int, bool> Given = new();

    public static int Next()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            if (Given.TryAdd(port, true) && IsFree(port))
            {
                return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
