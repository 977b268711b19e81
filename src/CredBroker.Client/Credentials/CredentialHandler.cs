using System.Net;

namespace CredBroker.Client;

/// <summary>
/// Adds a secret to the requests for one origin (scheme, host and port), at the moment when they are sent. Requests for
/// other origins go without it, and so do redirects to them.
/// </summary>
/// <remarks>
/// The secret stands in a header of a copy of the request, never in its address, and never in the message that the
/// caller (or a log) holds afterwards. Handlers that follow redirects would resend it wherever they are led, below this
/// one: the handler under it must have <c>AllowAutoRedirect = false</c>, and this one follows them itself, as
/// <see cref="HttpClient"/> does: at most ten, never from https to http, never with a body to another origin.
/// </remarks>
public sealed class CredentialHandler : DelegatingHandler
{
    private const int MaxRedirects = 10;
    private const string FollowsRedirects =
        "The handler under CredentialHandler follows redirects and would take the secret along: set its AllowAutoRedirect to false.";

    private readonly Uri _origin;
    private readonly Func<CancellationToken, ValueTask<string>> _secret;

    /// <summary>A handler for one origin.</summary>
    /// <param name="origin">An address of it: https, or http on loopback only. Its path does not count.</param>
    /// <param name="secret">
    /// Gives the secret, asked again for each request: for example <c>lease.GetSecret&lt;TokenSecret&gt;().Token</c>.
    /// </param>
    /// <exception cref="ArgumentException">The origin would be sent the secret in clear.</exception>
    public CredentialHandler(Uri origin, Func<CancellationToken, ValueTask<string>> secret)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(secret);
        if (!Origin.IsProtected(origin))
        {
            throw new ArgumentException("A secret travels by https, or by http on loopback only.", nameof(origin));
        }

        (_origin, _secret) = (origin, secret);
    }

    /// <summary>The header that carries the secret; <c>Authorization</c> unless set.</summary>
    public string Header { get; init; } = "Authorization";

    /// <summary>What stands before the secret in the header; <c>Bearer</c> unless set, nothing where it is empty.</summary>
    public string Scheme { get; init; } = "Bearer";

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("A secret may have to be waited for: use SendAsync.");

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        RefuseHandlersThatFollowRedirects();
        var hop = new Hop(
            request.RequestUri is { IsAbsoluteUri: true } address
                ? address
                : throw new InvalidOperationException("The request has no absolute address."),
            request.Method,
            request.Content,
            IsFirst: true,
            IsEntitled: Origin.AreSame(address, _origin)
        );
        for (var redirects = 0; ; redirects++)
        {
            var response = await SendAsync(request, hop, cancellationToken).ConfigureAwait(false);
            if (redirects == MaxRedirects || Next(hop, response) is not { } next)
            {
                // What the caller is left with never had the secret: a message prints its headers.
                response.RequestMessage = hop.IsFirst ? request : Copy(request, hop);
                return response;
            }

            response.Dispose();
            hop = next;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        Hop hop,
        CancellationToken cancellationToken
    )
    {
        // Not disposed: its content is the caller's, and it holds nothing else to dispose.
        var copy = Copy(request, hop);
        if (hop.IsEntitled)
        {
            var secret = await _secret(cancellationToken).ConfigureAwait(false);
            copy.Headers.Remove(Header);
            if (!IsPrintable(secret) || !copy.Headers.TryAddWithoutValidation(Header, $"{Scheme} {secret}".TrimStart()))
            {
                throw new InvalidOperationException(
                    $"The secret cannot stand in the header {Header}: one line of printable ASCII is expected."
                );
            }
        }

        var response = await base.SendAsync(copy, cancellationToken).ConfigureAwait(false);
        if (copy.RequestUri != hop.Address)
        {
            response.Dispose();
            throw new InvalidOperationException(FollowsRedirects);
        }

        return response;
    }

    /// <summary>Where a redirect leads; null where the answer is none, or one that is the caller's to judge.</summary>
    private Hop? Next(Hop hop, HttpResponseMessage response)
    {
        if (
            response.StatusCode
                is not (
                    HttpStatusCode.MultipleChoices
                    or HttpStatusCode.MovedPermanently
                    or HttpStatusCode.Found
                    or HttpStatusCode.SeeOther
                    or HttpStatusCode.TemporaryRedirect
                    or HttpStatusCode.PermanentRedirect
                )
            || response.Headers.Location is not { } location
        )
        {
            return null;
        }

        var address = location.IsAbsoluteUri ? location : new Uri(hop.Address, location);
        var isWeb = address.Scheme == Uri.UriSchemeHttps || address.Scheme == hop.Address.Scheme;
        var becomesGet = response.StatusCode switch
        {
            HttpStatusCode.SeeOther => hop.Method != HttpMethod.Get && hop.Method != HttpMethod.Head,
            HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect => false,
            _ => hop.Method == HttpMethod.Post,
        };
        var content = becomesGet ? null : hop.Content;
        return isWeb && (content is null || Origin.AreSame(address, hop.Address))
            ? new Hop(
                address,
                becomesGet ? HttpMethod.Get : hop.Method,
                content,
                IsFirst: false,
                IsEntitled: hop.IsEntitled && Origin.AreSame(address, _origin)
            )
            : null;
    }

    /// <summary>
    /// The request as it is sent on this hop, without the secret. After a redirect the caller's own credentials stay
    /// behind, as with <see cref="HttpClient"/>.
    /// </summary>
    private HttpRequestMessage Copy(HttpRequestMessage request, Hop hop)
    {
        var copy = new HttpRequestMessage(hop.Method, hop.Address)
        {
            Version = request.Version,
            VersionPolicy = request.VersionPolicy,
            Content = hop.Content,
        };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            if (hop.IsFirst || !IsPersonal(name))
            {
                copy.Headers.TryAddWithoutValidation(name, values);
            }
        }

        if (hop.Content is null)
        {
            copy.Headers.TransferEncodingChunked = null;
        }

        foreach (var (key, value) in request.Options)
        {
            ((IDictionary<string, object?>)copy.Options)[key] = value;
        }

        return copy;
    }

    private bool IsPersonal(string name) =>
        name.Equals(Header, StringComparison.OrdinalIgnoreCase)
        || name.Equals("Authorization", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Cookie", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Host", StringComparison.OrdinalIgnoreCase);

    private static bool IsPrintable(string? secret) =>
        !string.IsNullOrEmpty(secret) && !secret.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private void RefuseHandlersThatFollowRedirects()
    {
        var inner = InnerHandler;
        while (inner is DelegatingHandler { InnerHandler: { } next })
        {
            inner = next;
        }

        if (inner is HttpClientHandler { AllowAutoRedirect: true } or SocketsHttpHandler { AllowAutoRedirect: true })
        {
            throw new InvalidOperationException(FollowsRedirects);
        }
    }

    /// <summary>One request on the way to the final answer.</summary>
    /// <param name="Address">Where it goes.</param>
    /// <param name="Method">Its method.</param>
    /// <param name="Content">Its body.</param>
    /// <param name="IsFirst">Whether the caller asked for it, and no redirect led to it.</param>
    /// <param name="IsEntitled">Whether it gets the secret: no hop has left the origin.</param>
    private sealed record Hop(Uri Address, HttpMethod Method, HttpContent? Content, bool IsFirst, bool IsEntitled);
}
