using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace CredBroker.FaultHarness.Faults;

/// <summary>What a link does with what is sent over it.</summary>
internal enum LinkFault
{
    None,

    /// <summary>Requests arrive; the first byte of an answer ends the connection.</summary>
    DropReplies,

    /// <summary>Requests arrive; answers wait until the fault is over.</summary>
    HoldReplies,

    /// <summary>Connections are accepted, and nothing passes until the fault is over: then, sooner or later, all of it does.</summary>
    BlackHole,

    /// <summary>Everything takes its time.</summary>
    Slow,

    /// <summary>Every connection is reset, new ones too.</summary>
    Cut,
}

/// <summary>A TCP relay between two servers, on a loopback port of its own, that can be told to be a bad one.</summary>
internal sealed class ChaosProxy : IAsyncDisposable
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(400);

    /// <summary>What was held back comes as retransmissions do: by each connection's own clock, this late at most.</summary>
    private static readonly TimeSpan LongestLate = TimeSpan.FromSeconds(6);

    private readonly TcpListener _listener;
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile LinkFault _fault;
    private volatile int _target;
    private int _connections;

    public ChaosProxy(int port, int target)
    {
        (Port, _target) = (port, target);
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public void Set(LinkFault fault)
    {
        _fault = fault;
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        if (fault == LinkFault.Cut)
        {
            ResetAll();
        }
    }

    /// <summary>Leads to another server from now on; what is open ends.</summary>
    public void LeadTo(int target)
    {
        _target = target;
        ResetAll();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        ResetAll();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stop.Token));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        // Spread evenly, however many there are, by the golden ratio.
        var late = Interlocked.Increment(ref _connections) * 0.618034 % 1 * LongestLate;
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            _sockets[client] = _sockets[server] = true;
            try
            {
                if (_fault == LinkFault.Cut)
                {
                    Reset(client);
                    return;
                }

                (client.NoDelay, server.NoDelay) = (true, true);
                await PassAsync(isReply: false, late);
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                Task[] pumps =
                [
                    PumpAsync(client, server, isReply: false, late),
                    PumpAsync(server, client, isReply: true, late),
                ];

                // One end's reset is the other's at once: a peer that waits for ever would be a fault of this relay.
                await await Task.WhenAny(pumps);
                await Task.WhenAll(pumps);
            }
            catch (Exception broken)
                when (broken is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One end is gone, or the link was cut: so is the other.
                Reset(client);
                Reset(server);
            }
            finally
            {
                _sockets.TryRemove(client, out _);
                _sockets.TryRemove(server, out _);
            }
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isReply, TimeSpan late)
    {
        var bytes = new byte[16 * 1024];
        while (await from.ReceiveAsync(bytes, _stop.Token) is > 0 and var read)
        {
            await PassAsync(isReply, late);
            if (isReply && _fault == LinkFault.DropReplies)
            {
                Reset(from);
                Reset(to);
                return;
            }

            for (var sent = 0; sent < read; )
            {
                sent += await to.SendAsync(bytes.AsMemory(sent, read - sent), _stop.Token);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }

    /// <summary>Waits as long as the fault lets nothing pass in this direction.</summary>
    private async Task PassAsync(bool isReply, TimeSpan late)
    {
        while (true)
        {
            var changed = _changed.Task;
            if (_fault == LinkFault.BlackHole || (isReply && _fault == LinkFault.HoldReplies))
            {
                await changed.WaitAsync(_stop.Token);
                await Task.Delay(late, TimeProvider.System, _stop.Token);
                continue;
            }

            if (_fault == LinkFault.Slow)
            {
                await Task.Delay(Delay, TimeProvider.System, _stop.Token);
            }

            return;
        }
    }

    private void ResetAll()
    {
        foreach (var socket in _sockets.Keys)
        {
            Reset(socket);
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new(enable: true, seconds: 0);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // It was not connected, or is closed.
        }

        socket.Dispose();
    }
}
