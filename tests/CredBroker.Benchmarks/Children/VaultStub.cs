using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CredBroker.Benchmarks.Children;

/// <summary>
/// A Vault that costs next to nothing: over raw sockets it answers the calls that a broker makes with prepared bytes,
/// each token, accessor, lease and user of its own. It checks and remembers nothing, so what is left to measure is the
/// broker.
/// </summary>
internal sealed class VaultStub
{
    /// <summary>Stands for sixteen hexadecimal digits that differ in each answer.</summary>
    private const string Unique = "################";

    private static readonly (byte[] Path, Template Answer)[] Routes =
    [
        Route(
            "/v1/auth/token/create/",
            200,
            $$$"""
            {"request_id":"{{{Unique}}}","lease_id":"","renewable":false,"lease_duration":0,
             "data":null,"wrap_info":null,"warnings":null,"auth":{"client_token":"hvs.CAESI{{{Unique}}}",
             "accessor":"a{{{Unique}}}","policies":["cb-bench"],"token_policies":["cb-bench"],"metadata":null,
             "lease_duration":3600,"renewable":true,"entity_id":"","token_type":"service","orphan":true,"num_uses":0}}
            """
        ),
        Route(
            "/v1/database/creds/cb-bench-reports",
            200,
            $$$"""
            {"request_id":"{{{Unique}}}","lease_id":"database/creds/cb-bench-reports/{{{Unique}}}",
             "renewable":true,"lease_duration":900,"data":{"password":"pw-{{{Unique}}}","username":"cb-{{{Unique}}}"},
             "wrap_info":null,"warnings":null,"auth":null}
            """
        ),
        Route(
            "/v1/secret/data/",
            200,
            $$$"""
            {"request_id":"{{{Unique}}}","lease_id":"","renewable":false,"lease_duration":0,
             "data":{"data":{"apiKey":"k-{{{Unique}}}"},"metadata":{"created_time":"2025-01-01T00:00:00Z",
             "deletion_time":"","destroyed":false,"version":1}},"wrap_info":null,"warnings":null,"auth":null}
            """
        ),
        Route(
            "/v1/auth/token/lookup-self",
            200,
            $$$"""
            {"request_id":"{{{Unique}}}","data":{"accessor":"own","policies":["cb-bench-broker"],
             "ttl":0,"creation_ttl":0,"explicit_max_ttl":0,"renewable":false,"orphan":true,"type":"service"}}
            """
        ),
        Route("/v1/auth/token/lookup-accessor", 403, """{"errors":["invalid accessor"]}"""),
        Route("/v1/sys/health", 200, """{"initialized":true,"sealed":false,"standby":false,"cluster_id":"stub"}"""),
        Route("/v1/sys/leases/lookup/", 404, """{"errors":[]}"""),
        Route(
            "/v1/sys/leases/lookup",
            200,
            """{"request_id":"r","data":{"issue_time":"2026-01-01T00:00:00Z","ttl":60}}"""
        ),
        Route("/v1/sys/leases/", 204, ""),
        Route("/v1/auth/token/", 204, ""),
    ];

    private static readonly Template NotFound = new(404, """{"errors":["no handler for route"]}""");

    private long _answered;

    /// <summary>Serves until the process is killed.</summary>
    public static async Task<int> RunAsync(int port)
    {
        var stub = new VaultStub();
        using var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start(512);
        while (true)
        {
            _ = stub.ServeAsync(await listener.AcceptSocketAsync());
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            socket.NoDelay = true;
            var (received, reply, filled) = (new byte[32 * 1024], new byte[4 * 1024], 0);
            try
            {
                while (await socket.ReceiveAsync(received.AsMemory(filled)) is > 0 and var read)
                {
                    filled += read;
                    while (RequestLength(received.AsSpan(0, filled)) is > 0 and var length)
                    {
                        var written = Find(received.AsSpan(0, length))
                            .Write(reply, Interlocked.Increment(ref _answered));
                        await socket.SendAsync(reply.AsMemory(0, written));
                        received.AsSpan(length, filled - length).CopyTo(received);
                        filled -= length;
                    }
                }
            }
            catch (SocketException)
            {
                // The peer is gone.
            }
        }
    }

    /// <summary>How long the first request is; 0 while it has not come whole.</summary>
    private static int RequestLength(ReadOnlySpan<byte> bytes)
    {
        var head = bytes.IndexOf("\r\n\r\n"u8);
        if (head < 0)
        {
            return 0;
        }

        var body = 0;
        if (bytes[..head].IndexOf("Content-Length: "u8) is >= 0 and var at)
        {
            _ = Utf8Parser.TryParse(bytes[(at + "Content-Length: ".Length)..], out body, out _);
        }

        return bytes.Length >= head + 4 + body ? head + 4 + body : 0;
    }

    private static Template Find(ReadOnlySpan<byte> request)
    {
        var path = request[(request.IndexOf((byte)' ') + 1)..];
        foreach (var (prefix, answer) in Routes)
        {
            if (path.StartsWith(prefix))
            {
                return answer;
            }
        }

        return NotFound;
    }

    private static (byte[] Path, Template Answer) Route(string path, int status, string body) =>
        (Encoding.ASCII.GetBytes(path), new Template(status, body));

    /// <summary>A whole answer as bytes, with the places where its unique digits go.</summary>
    private sealed class Template
    {
        private readonly byte[] _bytes;
        private readonly int[] _places;

        public Template(int status, string body)
        {
            var head = status == 204 ? "" : $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n";
            var text = $"HTTP/1.1 {status} X\r\nCache-Control: no-store\r\n{head}\r\n{body}";
            _bytes = Encoding.ASCII.GetBytes(text);
            var found = new List<int>();
            for (
                var at = text.IndexOf(Unique, StringComparison.Ordinal);
                at >= 0;
                at = text.IndexOf(Unique, at + Unique.Length, StringComparison.Ordinal)
            )
            {
                found.Add(at);
            }

            _places = [.. found];
        }

        public int Write(Span<byte> to, long number)
        {
            _bytes.CopyTo(to);
            foreach (var place in _places)
            {
                _ = Utf8Formatter.TryFormat(number, to[place..], out _, new('x', 16));
            }

            return _bytes.Length;
        }
    }
}
