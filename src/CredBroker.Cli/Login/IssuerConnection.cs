using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CredBroker.Core.Text;

namespace CredBroker.Cli.Login;

/// <summary>
/// Calls to an issuer of people's tokens: https (or http on loopback), no redirects, no cookies, bounded answers, JSON
/// that two readers cannot understand differently. No body is ever put into an exception: it may be a token.
/// </summary>
internal sealed class IssuerConnection : IDisposable
{
    private const int MaxBytes = 256 * 1024;

    private readonly HttpClient _http;

    public IssuerConnection(Uri issuer)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = !issuer.IsLoopback,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 16,
        };
        _http = new(handler) { MaxResponseContentBufferSize = MaxBytes, Timeout = TimeSpan.FromSeconds(30) };
    }

    /// <summary>Whether tokens, and people, may be sent to an address: https, or http that stays on this machine.</summary>
    public static bool IsProtected(Uri address) =>
        address.IsAbsoluteUri
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
        && address.UserInfo.Length == 0
        && address.Fragment.Length == 0;

    public Task<IssuerAnswer> GetAsync(Uri address, CancellationToken cancellationToken) =>
        SendAsync(new(HttpMethod.Get, address), cancellationToken);

    public Task<IssuerAnswer> PostAsync(
        Uri address,
        IEnumerable<KeyValuePair<string, string>> form,
        CancellationToken cancellationToken
    ) => SendAsync(new(HttpMethod.Post, address) { Content = new FormUrlEncodedContent(form) }, cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<IssuerAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using (request)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            try
            {
                using var response = await _http.SendAsync(request, cancellationToken);
                if (response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
                {
                    // It passes, whatever the body says: nothing was refused.
                    throw new IssuerUnreachableException(
                        $"{request.RequestUri!.GetLeftPart(UriPartial.Path)} gave no answer: HTTP {(int)response.StatusCode}."
                    );
                }

                var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                return new(response.StatusCode, StrictJson.TryReadObject(body, out var read) ? read : null);
            }
            catch (Exception exception)
                when (exception is HttpRequestException
                    || (exception is OperationCanceledException { InnerException: TimeoutException })
                )
            {
                throw new IssuerUnreachableException(
                    $"{request.RequestUri!.GetLeftPart(UriPartial.Path)} gave no answer: {exception.Message}",
                    exception
                );
            }
        }
    }
}

/// <summary>What an issuer answered.</summary>
/// <param name="Status">The status.</param>
/// <param name="Body">The body; null where it is no JSON object.</param>
internal sealed record IssuerAnswer(HttpStatusCode Status, JsonDocument? Body) : IDisposable
{
    private const int MaxText = 200;

    /// <summary>Of a refusal, in an answer or in what a browser brings back.</summary>
    public static readonly IReadOnlyList<string> ErrorMembers = ["error", "error_description"];

    public bool IsOk => Status == HttpStatusCode.OK;

    /// <summary>The code of a refusal in OAuth's form (RFC 6749, section 5.2); empty where it has none.</summary>
    public string Error => Text("error") ?? "";

    /// <summary>A refusal in words: the issuer's, shortened.</summary>
    public string Words
    {
        get
        {
            var words = string.Join(": ", ErrorMembers.Select(Text).OfType<string>());
            return words.Length switch
            {
                0 => $"HTTP {(int)Status}",
                > MaxText => words[..MaxText] + "…",
                _ => words,
            };
        }
    }

    /// <summary>A member that is text; null where it is not there, or is none.</summary>
    public string? Text(string name) =>
        Body is not null
        && Body.RootElement.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>A member that is a number of seconds; null where it is not there. Some issuers write it as text.</summary>
    public TimeSpan? Seconds(string name) =>
        Body is not null
        && Body.RootElement.TryGetProperty(name, out var value)
        && value.ValueKind is JsonValueKind.Number or JsonValueKind.String
        && int.TryParse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;

    public bool Says(string name) =>
        Body is not null
        && Body.RootElement.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.True;

    public void Dispose() => Body?.Dispose();
}

/// <summary>The issuer gave no answer, or said that it can give none now: it is asked again later.</summary>
internal sealed class IssuerUnreachableException(string message, Exception? inner = null) : Exception(message, inner);
