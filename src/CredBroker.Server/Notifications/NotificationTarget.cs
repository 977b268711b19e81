using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CredBroker.Core.Identity.Verification;

namespace CredBroker.Server.Notifications;

/// <summary>
/// Sends to an address that the settings name, and to no other: no redirect is followed, no proxy asked, and what its
/// name leads to is looked at when the connection is made. Of the answer nothing but the status and <c>Retry-After</c> is
/// read. Every sending makes its own connection, so that address, secret and certificates are always current.
/// </summary>
internal sealed class NotificationTarget(
    TimeProvider time,
    Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null
)
{
    private const int MaxUrlBytes = 4096;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>How long an address may ask to be left alone; one that asks for more is tried then.</summary>
    public static readonly TimeSpan LongestRest = TimeSpan.FromHours(1);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve = resolve ?? Dns.GetHostAddressesAsync;

    /// <summary>Sends one message, and says what became of it.</summary>
    public async ValueTask<SendingOutcome> SendAsync(
        NotificationEndpointOptions endpoint,
        string id,
        byte[] body,
        CancellationToken cancellationToken
    )
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var address = ReadAddress(endpoint);
            using var request = new HttpRequestMessage(HttpMethod.Post, address)
            {
                Content = new ByteArrayContent(body),
            };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("CredBroker", null));
            if (endpoint.SecretFile.Length > 0)
            {
                var timestamp = time.GetUtcNow().ToUnixTimeSeconds();
                var keys = WebhookSignature.ReadSecrets(endpoint.SecretFile);
                request.Headers.Add("webhook-id", id);
                request.Headers.Add("webhook-timestamp", $"{timestamp}");
                request.Headers.Add("webhook-signature", WebhookSignature.Of(keys, id, timestamp, body));
            }

            using var client = CreateClient(endpoint, address);
            using var response = await client.SendAsync(
                request,
                HttpCompletionOption.ResponseHeadersRead,
                either.Token
            );
            return response.IsSuccessStatusCode
                ? SendingOutcome.Taken
                : new(
                    $"it answered {(int)response.StatusCode}",
                    RetryAfter(response),
                    IsGone: response.StatusCode == HttpStatusCode.Gone
                );
        }
        catch (Exception e)
            when (!cancellationToken.IsCancellationRequested && NotificationException.Says(e) is { } why)
        {
            return new(why);
        }
    }

    /// <summary>How long it asks for (RFC 9110 section 10.2.3), no longer than is waited at most.</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => TimeSpan.Zero,
        };
        if (asked <= TimeSpan.Zero)
        {
            return null;
        }

        return asked < LongestRest ? asked : LongestRest;
    }

    /// <summary>
    /// The address, from the settings or its file. Throws <see cref="NotificationException"/> where it may not be called,
    /// or what reading a file throws.
    /// </summary>
    public static Uri ReadAddress(NotificationEndpointOptions endpoint)
    {
        var text = endpoint.Url.Length > 0 ? endpoint.Url : ReadText(endpoint.UrlFile, MaxUrlBytes).Trim();
        if (
            !Uri.TryCreate(text, UriKind.Absolute, out var address)
            || address.UserInfo.Length > 0
            || address.Fragment.Length > 0
            || (
                address.Scheme != Uri.UriSchemeHttps
                && (address.Scheme != Uri.UriSchemeHttp || !address.IsLoopback || !endpoint.AllowPrivateAddress)
            )
        )
        {
            throw new NotificationException(
                "must be an https address without user or fragment (http only to this machine, with AllowPrivateAddress)"
            );
        }

        return
            IPAddress.TryParse(address.DnsSafeHost, out var ip)
            && !ReachableAddress.IsAllowed(ip, endpoint.AllowPrivateAddress)
            ? throw new NotificationException("leads to an address that may not be called; see AllowPrivateAddress")
            : address;
    }

    /// <summary>A small file's text.</summary>
    public static string ReadText(string file, int maxBytes)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[maxBytes + 1];
        var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return length <= maxBytes
            ? Encoding.UTF8.GetString(buffer, 0, length)
            : throw new NotificationException($"the file is larger than {maxBytes} bytes");
    }

    /// <summary>Trust in the authorities of a PEM file; null, and so the system's, without a file.</summary>
    public static X509ChainPolicy? Trust(string caFile)
    {
        var trust = caFile.Length > 0 ? CertificateAuthorities.TrustOnly(caFile) : null;
        return trust is { CustomTrustStore.Count: 0 }
            ? throw new NotificationException("the file holds no certificate")
            : trust;
    }

    private HttpClient CreateClient(NotificationEndpointOptions endpoint, Uri address) =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                // A proxy would look the name up itself.
                UseProxy = false,
                ActivityHeadersPropagator = null,
                MaxResponseHeadersLength = 16,
                MaxResponseDrainSize = 0,
                SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust(endpoint.CaFile) },
                ConnectCallback = (context, cancellationToken) =>
                    ConnectAsync(endpoint, address, context.DnsEndPoint, cancellationToken),
            }
        )
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

    private async ValueTask<Stream> ConnectAsync(
        NotificationEndpointOptions endpoint,
        Uri address,
        DnsEndPoint server,
        CancellationToken cancellationToken
    )
    {
        var found = IPAddress.TryParse(server.Host, out var literal)
            ? [literal]
            : await _resolve(server.Host, cancellationToken);
        var allowed = found
            .Where(ip =>
                ReachableAddress.IsAllowed(ip, endpoint.AllowPrivateAddress)
                // In clear to this machine and no further.
                && (address.Scheme == Uri.UriSchemeHttps || IPAddress.IsLoopback(ip))
            )
            .ToArray();
        if (allowed.Length == 0)
        {
            throw new NotificationException("its name leads to no address that may be called");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, server.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
