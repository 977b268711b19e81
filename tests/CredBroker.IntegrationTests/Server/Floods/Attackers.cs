using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace CredBroker.IntegrationTests.Server.Floods;

/// <summary>
/// Those who hold on to one address of a broker with everything they can open. They go on until they are disposed.
/// </summary>
internal sealed class Attackers(Uri address) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<IDisposable> _held = [];
    private readonly ConcurrentBag<Task> _running = [];

    /// <summary>Skips the test where this process may not open so many files.</summary>
    public static void NeedOpenFiles(int needed)
    {
        const string limits = "/proc/self/limits";
        var line = File.Exists(limits)
            ? File.ReadLines(limits).FirstOrDefault(l => l.StartsWith("Max open files", StringComparison.Ordinal))
            : null;
        var permitted = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Assert.SkipUnless(
            permitted == "unlimited" || (int.TryParse(permitted, out var limit) && limit >= needed),
            $"This needs {needed} open files; the machine permits {permitted ?? "an unknown number"} (ulimit -n)."
        );
    }

    /// <summary>Connections that say nothing, after their handshake or without one.</summary>
    public Task ConnectAsync(int count, bool handshake) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = 32 },
            async (_, _) =>
            {
                try
                {
                    _held.Add(handshake ? await OpenAsync() : new NetworkStream(await DialAsync(), ownsSocket: true));
                }
                catch (Exception e) when (IsCut(e))
                {
                    // The broker has shut it out, which it may.
                }
            }
        );

    /// <summary>Connections that each send this request without an end, and open again when they are cut.</summary>
    public void Dribble(int count, string head)
    {
        for (var i = 0; i < count; i++)
        {
            Run(async () =>
            {
                await using var stream = await OpenAsync();
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _end.Token);
                while (!_end.IsCancellationRequested)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, _end.Token);
                    await stream.WriteAsync(" "u8.ToArray(), _end.Token);
                }
            });
        }
    }

    /// <summary>Connections that each write this request many times at once, and then read what is answered.</summary>
    public void Pipeline(int count, int times, string request)
    {
        var many = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, times)));
        for (var i = 0; i < count; i++)
        {
            Run(async () =>
            {
                await using var stream = await OpenAsync();
                var written = stream.WriteAsync(many, _end.Token).AsTask();
                await stream.CopyToAsync(Stream.Null, _end.Token);
                await written;
            });
        }
    }

    /// <summary>Whatever this call does, again and again.</summary>
    public void Repeat(int count, Func<HttpClient, CancellationToken, Task> call)
    {
        var http = Client(address, HttpVersion.Version20);
        _held.Add(http);
        for (var i = 0; i < count; i++)
        {
            Run(() => call(http, _end.Token));
        }
    }

    /// <summary>A client that knows the broker by its address alone.</summary>
    public static HttpClient Client(Uri address, Version version)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return new(handler)
        {
            BaseAddress = address,
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_running);
        foreach (var held in _held)
        {
            held.Dispose();
        }

        _end.Dispose();
    }

    private void Run(Func<Task> attack) =>
        _running.Add(
            Task.Run(async () =>
            {
                while (!_end.IsCancellationRequested)
                {
                    try
                    {
                        await attack();
                    }
                    catch (Exception e) when (IsCut(e))
                    {
                        // Shut out, or at the end.
                    }

                    // Not at once: what is measured shares this machine with the attackers.
                    await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
                }
            })
        );

    private async Task<Stream> OpenAsync()
    {
        var stream = new SslStream(new NetworkStream(await DialAsync(), ownsSocket: true));
        await stream.AuthenticateAsClientAsync(
            new() { TargetHost = "flood", RemoteCertificateValidationCallback = (_, _, _, _) => true },
            _end.Token
        );
        return stream;
    }

    private async Task<Socket> DialAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Parse(address.Host), address.Port, _end.Token);
        return socket;
    }

    private static bool IsCut(Exception e) =>
        e
            is IOException
                or SocketException
                or HttpRequestException
                or OperationCanceledException
                or System.Security.Authentication.AuthenticationException;
}
