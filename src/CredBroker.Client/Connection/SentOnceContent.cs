using System.Net;
using System.Net.Http.Headers;

namespace CredBroker.Client;

/// <summary>
/// The body of an exchange without an idempotency key: it can be sent once. Whatever handlers the caller puts under the
/// client (retries, hedging, redirects), a second attempt fails here, before the broker could mint a second secret.
/// What failed before a byte of it was sent may still be tried again.
/// </summary>
internal sealed class SentOnceContent : HttpContent
{
    public const string Refusal =
        "An exchange without an idempotency key is not sent twice, because the broker could make two secrets. "
        + "Set ExchangeRequest.IdempotencyKey to have it tried again.";

    private readonly byte[] _json;
    private int _sent;

    public SentOnceContent(byte[] json)
    {
        _json = json;
        Headers.ContentType = new MediaTypeHeaderValue("application/json", "utf-8");
    }

    /// <summary>Whether somebody tried to send it again.</summary>
    public bool WasAskedTwice => Volatile.Read(ref _sent) > 1;

    protected override Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    ) =>
        Interlocked.Increment(ref _sent) == 1
            ? stream.WriteAsync(_json, cancellationToken).AsTask()
            : throw new InvalidOperationException(Refusal);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override bool TryComputeLength(out long length)
    {
        length = _json.Length;
        return true;
    }
}
