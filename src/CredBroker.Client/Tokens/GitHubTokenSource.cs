using System.Net.Http.Headers;
using System.Text.Json;

namespace CredBroker.Client;

/// <summary>
/// GitHub's OIDC request: the job's own short-lived token is exchanged for an identity token of the wanted audience.
/// See GitHub's documentation of <c>ACTIONS_ID_TOKEN_REQUEST_URL</c>.
/// </summary>
internal sealed class GitHubTokenSource(string audience, Func<string, string?> variable) : ITokenSource
{
    private const string UrlVariable = "ACTIONS_ID_TOKEN_REQUEST_URL";
    private const string RequestTokenVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

    public string Description => "GitHub's OIDC request";

    public IReadOnlyList<string> Variables { get; } = [UrlVariable, RequestTokenVariable];

    public static bool IsPresent(Func<string, string?> variable) =>
        variable(UrlVariable) is { Length: > 0 } && variable(RequestTokenVariable) is { Length: > 0 };

    public async ValueTask<string> ReadAsync(CancellationToken cancellationToken)
    {
        var address = Address();
        using var http = new HttpClient(
            new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = !address.IsLoopback }
        )
        {
            Timeout = TimeSpan.FromSeconds(20),
            MaxResponseContentBufferSize = TokenText.MaxLength,
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            TokenText.Check(variable(RequestTokenVariable) ?? "", $"The variable {RequestTokenVariable}")
        );
        try
        {
            using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            return await ReadAsync(response, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or OperationCanceledException { InnerException: TimeoutException })
        {
            throw new TokenSourceException(
                $"GitHub's OIDC endpoint cannot be reached: {exception.Message}",
                "Try again.",
                isTransient: true
            );
        }
    }

    private static async ValueTask<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var answer = JsonDocument.Parse(body);
            if (
                response.IsSuccessStatusCode
                && answer.RootElement.ValueKind == JsonValueKind.Object
                && answer.RootElement.TryGetProperty("value", out var value)
                && value.ValueKind == JsonValueKind.String
            )
            {
                return TokenText.Check(value.GetString()!, "GitHub's answer");
            }
        }
        catch (JsonException)
        {
            // Told below: the body may hold a token and is not quoted.
        }

        throw new TokenSourceException(
            $"GitHub gave no identity token (HTTP {(int)response.StatusCode}).",
            "Check \"permissions: id-token: write\" of the job, and try again.",
            isTransient: true
        );
    }

    private Uri Address()
    {
        var url = variable(UrlVariable) ?? "";
        var separator = url.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        return
            Uri.TryCreate(
                $"{url}{separator}audience={Uri.EscapeDataString(audience)}",
                UriKind.Absolute,
                out var address
            ) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : throw new TokenSourceException(
                $"{UrlVariable} is no https address.",
                "Run this inside a GitHub workflow, or name a token file."
            );
    }
}
