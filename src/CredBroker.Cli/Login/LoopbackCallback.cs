using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace CredBroker.Cli.Login;

/// <summary>What a browser brought back from an issuer.</summary>
/// <param name="Code">The authorization code.</param>
/// <param name="Issuer">The issuer that says it answers (RFC 9207).</param>
/// <param name="Error">Why there is no code.</param>
internal sealed record CallbackAnswer(string? Code, string? Issuer, string? Error);

/// <summary>
/// A random port of the loopback interface, open until one request brings the state of this login. Whatever else comes,
/// from another program or another page, is answered with an error and changes nothing.
/// </summary>
internal sealed class LoopbackCallback : IAsyncDisposable
{
    private const string Path = "/callback";
    private const int MaxHead = 16 * 1024;
    private const int MaxOpen = 16;

    private static readonly TimeSpan RequestTime = TimeSpan.FromSeconds(10);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TaskCompletionSource<CallbackAnswer> _answer = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _room = new(MaxOpen);
    private readonly byte[] _state;
    private readonly Task _accepting;

    private LoopbackCallback(string state)
    {
        _state = Encoding.ASCII.GetBytes(state);
        _listener.Start();
        Address = new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}{Path}");
        _accepting = AcceptAsync();
    }

    /// <summary>The redirect URI.</summary>
    public Uri Address { get; }

    public static LoopbackCallback Open(string state) => new(state);

    public Task<CallbackAnswer> WaitAsync(CancellationToken cancellationToken) =>
        _answer.Task.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Stop();
        await _accepting;

        // Whoever is being answered still hears it.
        for (var i = 0; i < MaxOpen; i++)
        {
            await _room.WaitAsync();
        }

        _listener.Dispose();
        _room.Dispose();
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                await _room.WaitAsync(_closing.Token);
                try
                {
                    _ = ServeAsync(await _listener.AcceptSocketAsync(_closing.Token));
                }
                catch
                {
                    _room.Release();
                    throw;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closed.
        }
        catch (SocketException exception)
        {
            _answer.TrySetException(new IOException("The loopback port is gone.", exception));
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            using var stream = new NetworkStream(socket, ownsSocket: true);
            using var time = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
            time.CancelAfter(RequestTime);
            var answer = Read(await HeadAsync(stream, time.Token));
            var text = answer switch
            {
                null => "This is not the answer to the login that is under way.",
                { Error: null } => "You can close this page: the command line goes on.",
                _ => "The login was refused. You can close this page.",
            };

            // Written before the login goes on: the process may end with it.
            await WriteAsync(stream, answer is null ? "400 Bad Request" : "200 OK", text, CancellationToken.None);
            if (answer is not null)
            {
                _answer.TrySetResult(answer);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
            // Whoever it was has gone, or said nothing.
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>The head of a request; what is longer is cut, and then is no answer.</summary>
    private static async Task<string> HeadAsync(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxHead];
        var length = 0;
        while (length < buffer.Length && buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            if (read == 0)
            {
                break;
            }

            length += read;
        }

        return buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0 ? "" : Encoding.Latin1.GetString(buffer, 0, length);
    }

    /// <summary>The answer in a request's head; null where it is not the answer to this login.</summary>
    private CallbackAnswer? Read(string head)
    {
        var line = head.Split("\r\n", 2)[0].Split(' ');
        if (line is not ["GET", var target, "HTTP/1.1"] || !target.StartsWith(Path + "?", StringComparison.Ordinal))
        {
            return null;
        }

        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in target[(Path.Length + 1)..].Split('&'))
        {
            var parts = pair.Split('=', 2);
            // A parameter twice could be read either way.
            if (parts.Length != 2 || !found.TryAdd(WebUtility.UrlDecode(parts[0]), WebUtility.UrlDecode(parts[1])))
            {
                return null;
            }
        }

        var state = Encoding.UTF8.GetBytes(found.GetValueOrDefault("state", ""));
        return CryptographicOperations.FixedTimeEquals(state, _state)
            ? new(found.GetValueOrDefault("code"), found.GetValueOrDefault("iss"), Words(found))
            : null;
    }

    private static string? Words(Dictionary<string, string> found)
    {
        var words = string.Join(
            ": ",
            IssuerAnswer.ErrorMembers.Select(name => found.GetValueOrDefault(name)).OfType<string>()
        );
        return words.Length switch
        {
            0 => null,
            > 200 => words[..200] + "…",
            _ => words,
        };
    }

    private static async Task WriteAsync(Stream stream, string status, string text, CancellationToken cancellationToken)
    {
        var body = $"<!doctype html><meta charset=utf-8><title>CredBroker</title><p>{text}</p>";
        await stream.WriteAsync(
            Encoding.UTF8.GetBytes(
                $"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\n"
                    + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n"
                    + "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
                    + $"Content-Security-Policy: default-src 'none'\r\n\r\n{body}"
            ),
            cancellationToken
        );
    }
}
