using System.Net.Sockets;

namespace CredBroker.Vault.Http;

/// <summary>
/// One connection to one node, for calls whose answers prove something together: that a lease was there, was revoked, and
/// by whom. A standby answers reads, too, from what it has heard so far, and behind one name there may be two clusters; so
/// the node is asked what it is, before and after, and a connection that was opened anew in between proves nothing.
/// <code>
/// using var proof = client.Prove();
/// var doubt = await proof.BeginAsync(cancellationToken);
/// var reply = await proof.SendAsync(call, cancellationToken);   // as many as belong together
/// doubt = await proof.EndAsync(cancellationToken);              // null: all of them count
/// </code>
/// Disposed, it is kept for the next proof: an order may need thousands, and a connection for each would use up the
/// machine's ports.
/// </summary>
internal sealed class VaultProof : IVaultLine, IDisposable
{
    /// <summary>How long the end of one proof serves as the beginning of the next.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly VaultTransport _transport;
    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;
    private volatile int _opened;
    private int _begunAt;
    private bool _isActive;
    private long _activeAt;

    public VaultProof(VaultTransport transport, SocketsHttpHandler handler, TimeProvider time)
    {
        (_transport, _time) = (transport, time);
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
        _http = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>
    /// Whether the node is a standby of the believed cluster: it passes on what it is told to do, but what it knows may be
    /// old.
    /// </summary>
    public bool IsStandby { get; private set; }

    /// <summary>
    /// Asks the node what it is. Null, or why its answers prove nothing; it can be told what to do all the same.
    /// </summary>
    public async ValueTask<VaultReply?> BeginAsync(CancellationToken cancellationToken)
    {
        if (_isActive && _begunAt == _opened && _time.GetElapsedTime(_activeAt) < Fresh)
        {
            return null;
        }

        var doubt = await AskAsync(cancellationToken);
        _begunAt = _opened;
        return doubt;
    }

    /// <inheritdoc/>
    public ValueTask<VaultReply> SendAsync(VaultCall call, CancellationToken cancellationToken) =>
        _transport.SendAsync(_http, call, cancellationToken);

    /// <summary>
    /// Asks the node again. Null if whatever was sent since the beginning was answered by the active node of the believed
    /// cluster, or why it may not have been.
    /// </summary>
    public async ValueTask<VaultReply?> EndAsync(CancellationToken cancellationToken)
    {
        var was = (_isActive, IsStandby);
        var doubt = await AskAsync(cancellationToken);
        if (was == (_isActive, IsStandby) && _begunAt == _opened)
        {
            return doubt;
        }

        (_isActive, IsStandby) = (false, false);
        return doubt ?? new VaultReply.Lost("the connection changed within a proof");
    }

    /// <summary>Keeps the connection for the next proof, if this one came to its end.</summary>
    public void Dispose()
    {
        if (_isActive)
        {
            _transport.Keep(this);
        }
        else
        {
            Close();
        }
    }

    /// <summary>Ends the connection.</summary>
    public void Close() => _http.Dispose();

    private async ValueTask<VaultReply?> AskAsync(CancellationToken cancellationToken)
    {
        (_isActive, IsStandby) = (false, false);
        var health = await _transport.SendAsync(_http, _transport.Health, cancellationToken);
        var doubt = _transport.NotOurs(health);
        if (doubt is not null and not VaultReply.Lost { IsDoubted: true })
        {
            return doubt;
        }

        (_isActive, _activeAt) = (health.IsActiveNode, _time.GetTimestamp());
        IsStandby = !_isActive && doubt is null;
        return _isActive
            ? doubt
            : new VaultReply.Declined(503, "a standby node answered, and what it knows may be old");
    }
}
