using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;

namespace CredBroker.IntegrationTests.Fixtures;

/// <summary>
/// A TCP proxy on loopback that can stop forwarding, as a network does that swallows everything: connections stay open,
/// new ones are taken, and nothing comes back. Or it loses one answer, and the connection with it; or it leads elsewhere,
/// as an address does that moves to another server.
/// </summary>
internal sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _over = new();
    private readonly Task _accepting;
    private TaskCompletionSource _flows = new();
    private CancellationTokenSource _moved = new();
    private volatile int _target;
    private volatile int _held;
    private int _postgresTrips;

    public StallingProxy(int target)
    {
        _target = target;
        _flows.SetResult();
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Once: what is sent with this text arrives, and its answer does not.</summary>
    public string? LosesAnswerTo { get; set; }

    /// <summary>How often a PostgreSQL behind it has said that it is ready for what comes next: trips, as the client sees it.</summary>
    public int PostgresTrips => _postgresTrips;

    /// <summary>Whether something has come that is not let through.</summary>
    public bool IsHolding => _held > 0;

    public void Stall() => _flows = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Flow() => _flows.TrySetResult();

    /// <summary>How long everything that passes is kept, either way.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>From now on connections lead there; those that are open end.</summary>
    public void LeadTo(int target)
    {
        LeadNewTo(target);
        Interlocked.Exchange(ref _moved, new()).Cancel();
    }

    /// <summary>From now on connections lead there; those that are open stay, as when a name comes to mean another server.</summary>
    public void LeadNewTo(int target) => _target = target;

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        Flow();
        _listener.Stop();
        await _accepting;
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_over.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        var moved = Volatile.Read(ref _moved).Token;
        try
        {
            await far.ConnectAsync(IPAddress.Loopback, _target, _over.Token);
            var isLost = new StrongBox<bool>();
            await Task.WhenAny(PumpAsync(near, far, Asks), PumpAsync(far, near, Answers)).WaitAsync(moved);

            bool Answers(ReadOnlySpan<byte> answer)
            {
                Interlocked.Add(ref _postgresTrips, answer.Count("Z\0\0\0\u0005"u8));
                return isLost.Value;
            }

            bool Asks(ReadOnlySpan<byte> sent)
            {
                if (LosesAnswerTo is { } text && sent.IndexOf(Encoding.ASCII.GetBytes(text)) >= 0)
                {
                    (isLost.Value, LosesAnswerTo) = (true, null);
                }

                return false;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // Either side is gone.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, Ends ends)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _over.Token) is > 0 and var read)
            {
                Interlocked.Increment(ref _held);
                await _flows.Task;
                await Task.Delay(Delay, TimeProvider.System, _over.Token);
                Interlocked.Decrement(ref _held);
                if (ends(buffer.AsSpan(0, read)))
                {
                    return;
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _over.Token);
            }
        }
        catch (Exception e)
            when (e is OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException
            )
        {
            // Either side is gone.
        }
    }

    private delegate bool Ends(ReadOnlySpan<byte> passing);
}
