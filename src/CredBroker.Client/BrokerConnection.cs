using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CredBroker.Client;

/// <summary>
/// Sends one call and reads its answer: bounded, leniently, and without ever putting a token or a body into an
/// exception.
/// </summary>
internal sealed class BrokerConnection
{
    private const int MaxProblemBytes = 64 * 1024;
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
    );

    private readonly HttpClient _http;
    private readonly Func<CancellationToken, ValueTask<string>> _token;

    public BrokerConnection(HttpClient http, Func<CancellationToken, ValueTask<string>> token)
    {
        if (
            http.BaseAddress is not { } address
            || (address.Scheme != Uri.UriSchemeHttps && !(address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
        )
        {
            throw new ArgumentException(
                "The HttpClient needs the broker's base address: "
                    + "https, or http on loopback only, because tokens and secrets travel over it.",
                nameof(http)
            );
        }

        (_http, _token) = (http, token);
    }

    public async ValueTask<TResponse> SendAsync<TResponse>(
        HttpMethod method,
        string path,
        HttpContent? body,
        JsonTypeInfo<TResponse> type,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
        using var response = await SendAsync(method, path, body, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Sends with the caller's token, read again for this call. A status other than 2xx is a
    /// <see cref="BrokerProblemException"/>.
    /// </summary>
    public async ValueTask<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? body,
        CancellationToken cancellationToken
    )
    {
        var bearer = await _token(cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(bearer) || bearer.AsSpan().ContainsAnyExcept(TokenCharacters))
        {
            throw new InvalidOperationException(
                "The token provider gave no bearer token: one line of letters, digits and -._~+/= is expected."
            );
        }

        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        var response = await _http
            .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            .ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw new BrokerProblemException(
                (int)response.StatusCode,
                await ReadProblemAsync(response, cancellationToken).ConfigureAwait(false)
            );
        }
    }

    /// <summary>A health probe: no token, and 503 is an answer like any other.</summary>
    public async ValueTask<HealthResponse> GetHealthAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await _http
            .GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            .ConfigureAwait(false);
        return response.StatusCode is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable
            ? await ReadAsync(response, BrokerJson.Default.HealthResponse, cancellationToken).ConfigureAwait(false)
            : throw new BrokerProblemException(
                (int)response.StatusCode,
                await ReadProblemAsync(response, cancellationToken).ConfigureAwait(false)
            );
    }

    public static async ValueTask<TResponse> ReadAsync<TResponse>(
        HttpResponseMessage response,
        JsonTypeInfo<TResponse> type,
        CancellationToken cancellationToken
    )
        where TResponse : class
    {
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                if (
                    await JsonSerializer.DeserializeAsync(stream, type, cancellationToken).ConfigureAwait(false) is
                    { } value
                )
                {
                    return value;
                }
            }
        }
        catch (JsonException)
        {
            // Not kept as the inner exception: its text may quote the body, and the body may be a secret.
        }

        throw new BrokerProblemException(
            (int)response.StatusCode,
            new()
            {
                Status = (int)response.StatusCode,
                Title = "Answer not understood",
                Detail =
                    "The server's answer is not what this client knows. "
                    + "Check that the address is a broker's and that its version fits.",
            }
        );
    }

    private static async ValueTask<ProblemResponse> ReadProblemAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        if (response.Content.Headers.ContentType?.MediaType is "application/problem+json" or "application/json")
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                var buffer = new byte[MaxProblemBytes];
                var length = await stream
                    .ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)
                    .ConfigureAwait(false);
                try
                {
                    if (
                        JsonSerializer.Deserialize(buffer.AsSpan(0, length), BrokerJson.Default.ProblemResponse) is
                        { } problem
                    )
                    {
                        return problem;
                    }
                }
                catch (JsonException)
                {
                    // Told below like every answer that is not the broker's.
                }
            }
        }

        return new()
        {
            Status = (int)response.StatusCode,
            Title = response.ReasonPhrase,
            Detail =
                "The answer carries no problem document: "
                + "it may come from a proxy, or the address may not be a broker's.",
        };
    }
}
