using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CredBroker.Benchmarks.Load;

/// <summary>
/// One kept HTTP/1.1 connection over a raw socket: sends prepared bytes and reads one answer. It does no more than
/// that, because the load comes from the same machine as what is measured, and what the load costs the contenders
/// cannot have.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private static ReadOnlySpan<byte> EndOfHead => "\r\n\r\n"u8;
    private static ReadOnlySpan<byte> LastChunk => "\r\n0\r\n\r\n"u8;
    private static ReadOnlySpan<byte> ContentLength => "Content-Length: "u8;

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };
    private readonly byte[] _buffer = new byte[64 * 1024];

    private HttpConnection() { }

    public static async Task<HttpConnection> OpenAsync(Uri address)
    {
        var connection = new HttpConnection();
        try
        {
            await connection._socket.ConnectAsync(IPAddress.Loopback, address.Port);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>A request as bytes; <paramref name="headers"/> are whole lines, each with its line end.</summary>
    public static byte[] Request(string method, string path, string headers = "", string body = "") =>
        Encoding.UTF8.GetBytes(
            $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}"
                + (
                    body.Length == 0
                        ? "\r\n"
                        : "Content-Type: application/json\r\n"
                            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"
                )
        );

    /// <summary>
    /// Sends the request and returns the answer's status and body; the body is valid until the next call.
    /// </summary>
    public async ValueTask<HttpAnswer> SendAsync(ReadOnlyMemory<byte> request)
    {
        while (request.Length > 0)
        {
            request = request[await _socket.SendAsync(request)..];
        }

        var filled = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(filled));
            if (read == 0)
            {
                throw new InvalidOperationException("The server closed the connection.");
            }

            filled += read;
            if (TryRead(_buffer.AsMemory(0, filled), out var answer))
            {
                return answer;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private static bool TryRead(ReadOnlyMemory<byte> received, out HttpAnswer answer)
    {
        answer = default;
        var bytes = received.Span;
        var head = bytes.IndexOf(EndOfHead);
        if (head < 0)
        {
            return false;
        }

        _ = Utf8Parser.TryParse(bytes[9..], out int status, out _);
        var body = head + EndOfHead.Length;
        var at = bytes[..head].IndexOf(ContentLength);
        if (at >= 0)
        {
            _ = Utf8Parser.TryParse(bytes[(at + ContentLength.Length)..], out int length, out _);
            answer = new(status, received[body..]);
            return received.Length >= body + length;
        }

        // No answer is pipelined, so the last chunk ends what was received. A body without length is a 204.
        answer = new(status, received[body..]);
        return status == (int)HttpStatusCode.NoContent || bytes[(body - 2)..].EndsWith(LastChunk);
    }
}

/// <summary>An answer as it came; a chunked body still has its chunk lines.</summary>
internal readonly record struct HttpAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>The first text of this name, wherever in the body it is; for what Vault writes without escapes.</summary>
    public string Text(string name)
    {
        var sought = Encoding.ASCII.GetBytes($"\"{name}\":\"");
        var at = Body.Span.IndexOf(sought);
        if (at < 0)
        {
            throw new InvalidOperationException($"No {name} in the answer.");
        }

        var rest = Body.Span[(at + sought.Length)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')]);
    }

    public override string ToString() => $"{Status} {Encoding.UTF8.GetString(Body.Span)}";
}
