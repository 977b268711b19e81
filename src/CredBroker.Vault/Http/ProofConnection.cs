using System.Net.Sockets;

namespace CredBroker.Vault.Http;

/// <summary>
/// One connection to one node, with a count of how often it was opened: what is asked over it while the count stands is
/// answered by the same node.
/// </summary>
internal sealed class ProofConnection : IDisposable
{
    private volatile int _opened;

    public ProofConnection(SocketsHttpHandler handler)
    {
        handler.MaxConnectionsPerServer = 1;
        handler.ConnectCallback = async (context, cancellation) =>
        {
            Interlocked.Increment(ref _opened);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        Http = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    public HttpMessageInvoker Http { get; }

    public int Opened => _opened;

    public void Dispose() => Http.Dispose();
}
