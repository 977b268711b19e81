using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Client;

/// <summary>
/// Where the broker is, and whose token is sent to it. <see cref="AgentClient"/> and <see cref="AdminClient"/> speak
/// over it. Answers are read bounded and leniently, and neither a token nor a body is ever put into an exception. It
/// retries nothing by itself. An answer's body may take as long again as the call itself; only an audit export, which is
/// read line by line, may take longer.
/// </summary>
public sealed class BrokerConnection : IDisposable
{
    private readonly HttpClient _http;
    private readonly bool _owns;

    /// <summary>A connection of its own, for programs without dependency injection.</summary>
    /// <param name="address">The broker's address: https, or http on loopback only.</param>
    /// <param name="tokenSource">Gives the bearer token, asked again for each call.</param>
    /// <param name="handler">
    /// Sends the calls, and is disposed with this; what <see cref="CreateHandler"/> makes unless given.
    /// </param>
    /// <exception cref="ArgumentException">The address would send tokens in clear.</exception>
    public BrokerConnection(Uri address, ITokenSource tokenSource, HttpMessageHandler? handler = null)
        : this(
            new HttpClient(handler ?? CreateHandler(address))
            {
                BaseAddress = WithSlash(address),
                Timeout = DefaultTimeout,
            },
            tokenSource
        ) => _owns = true;

    /// <summary>A connection over the caller's <see cref="HttpClient"/>, which it does not dispose.</summary>
    /// <param name="http">
    /// With the broker as its <see cref="HttpClient.BaseAddress"/>: https, or http on loopback only. Its handler should
    /// not follow redirects.
    /// </param>
    /// <param name="tokenSource">
    /// Gives the bearer token. It is asked again for each call, because workload tokens are short-lived and replaced
    /// under one's feet.
    /// </param>
    /// <exception cref="ArgumentException">The base address is missing, or would send tokens in clear.</exception>
    public BrokerConnection(HttpClient http, ITokenSource tokenSource)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(tokenSource);
        if (http.BaseAddress is not { } address || !Origin.IsProtected(address))
        {
            throw new ArgumentException(
                "The HttpClient needs the broker's base address: https, or http on loopback only, because tokens and secrets travel over it.",
                nameof(http)
            );
        }

        (_http, Address, TokenSource) = (http, address, tokenSource);
    }

    /// <summary>
    /// How long a call may take until it is answered, and the answer's body after that, unless the
    /// <see cref="HttpClient"/> is the caller's: then both are its <see cref="HttpClient.Timeout"/>.
    /// </summary>
    public static TimeSpan DefaultTimeout { get; } = TimeSpan.FromSeconds(60);

    /// <summary>The broker's address.</summary>
    public Uri Address { get; }

    /// <summary>Gives the token.</summary>
    public ITokenSource TokenSource { get; }

    /// <summary>
    /// What a connection to a broker is made of: no redirects and no cookies, and no proxy between two programs of one
    /// machine, which would be handed tokens in clear.
    /// </summary>
    /// <param name="address">The broker's address.</param>
    public static SocketsHttpHandler CreateHandler(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !address.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
    }

    /// <summary>How the broker is: no token is sent. 503 is an answer, not an exception.</summary>
    /// <param name="probe"><c>live</c>, <c>ready</c> or <c>issuing</c>.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="BrokerProblemException">What answers is no broker.</exception>
    /// <exception cref="HttpRequestException">The broker cannot be reached.</exception>
    public async ValueTask<HealthResponse> GetHealthAsync(string probe, CancellationToken cancellationToken = default)
    {
        using var response = await _http
            .GetAsync(
                new Uri($"health/{Segment(probe)}", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            )
            .ConfigureAwait(false);
        return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable
            ? await ReadAsync(response, BrokerJson.Default.HealthResponse, cancellationToken).ConfigureAwait(false)
            : throw await BrokerAnswer.ProblemAsync(response, _http.Timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Where people log in: no token is sent, and nothing in the answer is secret.</summary>
    /// <exception cref="BrokerProblemException">What answers is no broker, or one that cannot say it now.</exception>
    /// <exception cref="HttpRequestException">The broker cannot be reached.</exception>
    public async ValueTask<LoginResponse> GetLoginAsync(CancellationToken cancellationToken = default)
    {
        using var response = await _http
            .GetAsync(
                new Uri("v1/login", UriKind.Relative),
                HttpCompletionOption.ResponseHeadersRead,
                cancellationToken
            )
            .ConfigureAwait(false);
        return response.StatusCode == HttpStatusCode.OK
            ? await ReadAsync(response, BrokerJson.Default.LoginResponse, cancellationToken).ConfigureAwait(false)
            : throw await BrokerAnswer.ProblemAsync(response, _http.Timeout, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whom the broker sees in the token of this connection, be it an agent's or a person's.</summary>
    /// <exception cref="BrokerProblemException">The broker says no.</exception>
    /// <exception cref="HttpRequestException">The broker cannot be reached.</exception>
    /// <exception cref="TokenSourceException">There is no token.</exception>
    public ValueTask<WhoamiResponse> WhoamiAsync(CancellationToken cancellationToken = default) =>
        GetAsync("v1/whoami", BrokerJson.Default.WhoamiResponse, cancellationToken);

    /// <summary>Closes the connection, where it is its own.</summary>
    public void Dispose()
    {
        if (_owns)
        {
            _http.Dispose();
        }
    }

    /// <summary>The address as calls are relative to it: without a slash at its end, its last part would be lost.</summary>
    internal static Uri WithSlash(Uri address) =>
        address.OriginalString.EndsWith('/') ? address : new(address.OriginalString + "/", UriKind.RelativeOrAbsolute);

    /// <summary>
    /// One path segment. Dots alone would climb out of the path, so they are refused like the empty text.
    /// </summary>
    internal static string Segment(string id) =>
        string.IsNullOrEmpty(id) || id is "." or ".."
            ? throw new ArgumentException("An id is not empty and not only dots.", nameof(id))
            : Uri.EscapeDataString(id);

    /// <summary>The one call that both kinds of callers make.</summary>
    internal ValueTask CloseTaskAsync(string taskId, CloseTaskRequest request, CancellationToken cancellationToken) =>
        PostAsync($"v1/tasks/{Segment(taskId)}/close", request, BrokerJson.Default.CloseTaskRequest, cancellationToken);

    internal async ValueTask PostAsync<TRequest>(
        string path,
        TRequest request,
        JsonTypeInfo<TRequest> type,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(request);
        (
            await SendAsync(HttpMethod.Post, path, JsonContent.Create(request, type), cancellationToken)
                .ConfigureAwait(false)
        ).Dispose();
    }

    internal ValueTask<TResponse> PostAsync<TRequest, TResponse>(
        string path,
        TRequest request,
        JsonTypeInfo<TRequest> requestType,
        JsonTypeInfo<TResponse> responseType,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(request);
        return SendAsync(
            HttpMethod.Post,
            path,
            JsonContent.Create(request, requestType),
            responseType,
            cancellationToken
        );
    }

    internal ValueTask<TResponse> GetAsync<TResponse>(
        string path,
        JsonTypeInfo<TResponse> type,
        CancellationToken cancellationToken
    )
        where TResponse : class => SendAsync(HttpMethod.Get, path, null, type, cancellationToken);

    internal ValueTask<TResponse> SendAsync<TResponse>(
        HttpMethod method,
        string path,
        HttpContent? body,
        JsonTypeInfo<TResponse> type,
        CancellationToken cancellationToken
    )
        where TResponse : class => SendAsync(method, path, body, type, null, cancellationToken);

    internal async ValueTask<TResponse> SendAsync<TResponse>(
        HttpMethod method,
        string path,
        HttpContent? body,
        JsonTypeInfo<TResponse> type,
        Action<HttpRequestHeaders>? write,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
        using var response = await SendAsync(method, path, body, write, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads an answer's body, in the time that the call had.</summary>
    internal ValueTask<TResponse> ReadAsync<TResponse>(
        HttpResponseMessage response,
        JsonTypeInfo<TResponse> type,
        CancellationToken cancellationToken
    )
        where TResponse : class => BrokerAnswer.ReadAsync(response, type, _http.Timeout, cancellationToken);

    /// <summary>A stream of events, after the one with this id where there is one.</summary>
    internal ValueTask<HttpResponseMessage> StreamAsync(
        string path,
        string? lastEventId,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            HttpMethod.Get,
            path,
            null,
            headers =>
            {
                if (lastEventId is not null)
                {
                    headers.Add("Last-Event-ID", lastEventId);
                }
            },
            cancellationToken
        );

    /// <summary>
    /// Sends with the caller's token, read again for this call. A status other than 2xx is a
    /// <see cref="BrokerProblemException"/>.
    /// </summary>
    internal ValueTask<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? body,
        CancellationToken cancellationToken
    ) => SendAsync(method, path, body, null, cancellationToken);

    private async ValueTask<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? body,
        Action<HttpRequestHeaders>? write,
        CancellationToken cancellationToken
    )
    {
        var bearer = TokenText.Check(
            await TokenSource.ReadAsync(cancellationToken).ConfigureAwait(false),
            TokenSource.Description
        );
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        write?.Invoke(request.Headers);
        var response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await BrokerAnswer.ProblemAsync(response, _http.Timeout, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        HttpResponseMessage response;
        try
        {
            response = await _http
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (HttpRequestException exception) when (request.Content is SentOnceContent { WasAskedTwice: true })
        {
            throw new HttpRequestException(SentOnceContent.Refusal, exception);
        }
        finally
        {
            // A handler of the caller may keep the message for its log, and a message prints its headers.
            request.Headers.Authorization = null;
        }

        if (
            response.RequestMessage?.RequestUri is { IsAbsoluteUri: true } answered
            && !Origin.AreSame(answered, Address)
        )
        {
            response.Dispose();
            throw new HttpRequestException(
                $"The broker's address led elsewhere, to {answered.GetLeftPart(UriPartial.Authority)}: its answer is not taken."
            );
        }

        return response;
    }
}
