using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace CredBroker.Cli.Connection;

/// <summary>
/// Where the identity token comes from. It is read again for each call, because projected tokens are replaced while we
/// run, and it is never kept anywhere.
/// </summary>
/// <param name="Description">For messages: where, never what.</param>
/// <param name="ReadAsync">Reads it.</param>
/// <param name="Variables">
/// Environment variables that a child process must not inherit, because the token could be had from them.
/// </param>
internal sealed record TokenSource(
    string Description,
    Func<CancellationToken, ValueTask<string>> ReadAsync,
    IReadOnlyList<string> Variables
)
{
    public const string FileVariable = "CREDBROKER_TOKEN_FILE";
    public const string GitLabVariable = "CREDBROKER_ID_TOKEN";
    public const string KubernetesPath = "/var/run/secrets/credbroker/token";
    private const string GitHubUrlVariable = "ACTIONS_ID_TOKEN_REQUEST_URL";
    private const string GitHubTokenVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    private const int MaxBytes = 64 * 1024;

    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="
    );

    /// <summary>
    /// A workload's token: a file, GitLab's variable, GitHub's request, or Kubernetes' projected file, in this order.
    /// </summary>
    public static TokenSource ForAgent(
        string? file,
        string audience,
        Terminal terminal,
        Func<HttpMessageHandler> handler
    )
    {
        if ((file ?? terminal.Variable(FileVariable)) is { } path)
        {
            return OfFile(path);
        }

        if (terminal.Variable(GitLabVariable) is not null)
        {
            return new(
                $"the variable {GitLabVariable}",
                _ =>
                    ValueTask.FromResult(
                        Checked(terminal.Variable(GitLabVariable) ?? "", $"The variable {GitLabVariable}")
                    ),
                [GitLabVariable]
            );
        }

        if (
            terminal.Variable(GitHubUrlVariable) is { } url
            && terminal.Variable(GitHubTokenVariable) is { } requestToken
        )
        {
            return new(
                "GitHub's OIDC request",
                cancellationToken => RequestFromGitHubAsync(url, requestToken, audience, handler, cancellationToken),
                [GitHubUrlVariable, GitHubTokenVariable]
            );
        }

        return File.Exists(KubernetesPath)
            ? OfFile(KubernetesPath)
            : throw CliException.Usage(
                "There is no identity token.",
                $"Name its file with --token-file or {FileVariable}; in GitLab declare the id_token {GitLabVariable}; "
                    + "in GitHub set \"permissions: id-token: write\"; "
                    + $"in Kubernetes project a serviceAccountToken to {KubernetesPath}."
            );
    }

    /// <summary>A person's token: from a file, and only from there.</summary>
    public static TokenSource ForPerson(string? file, Terminal terminal) =>
        (file ?? terminal.Variable(FileVariable)) is { } path
            ? OfFile(path)
            : throw CliException.Usage(
                "There is no token.",
                $"Write your access token into a file and name it with --token-file or {FileVariable}. "
                    + "A token is never taken as an argument: others could see it."
            );

    /// <summary>A file, read again each time.</summary>
    public static TokenSource OfFile(string path) =>
        new($"the file {path}", cancellationToken => ReadFileAsync(path, cancellationToken), []);

    private static async ValueTask<string> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxBytes + 1];
        int length;
        try
        {
            await using var file = new FileStream(
                path,
                FileMode.Open,
                FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 0
            );
            length = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CliException.Usage(
                $"The token file cannot be read: {exception.Message}",
                "Check the path, and that this user may read it."
            );
        }

        return Checked(Encoding.UTF8.GetString(buffer, 0, length).Trim(), $"The token file {path}");
    }

    /// <summary>See GitHub's documentation of "ACTIONS_ID_TOKEN_REQUEST_URL".</summary>
    private static async ValueTask<string> RequestFromGitHubAsync(
        string url,
        string requestToken,
        string audience,
        Func<HttpMessageHandler> handler,
        CancellationToken cancellationToken
    )
    {
        var separator = url.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        if (
            !Uri.TryCreate(
                $"{url}{separator}audience={Uri.EscapeDataString(audience)}",
                UriKind.Absolute,
                out var address
            ) || (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
        )
        {
            throw CliException.Usage(
                $"{GitHubUrlVariable} is no https address.",
                "Run this inside a GitHub workflow, or use --token-file."
            );
        }

        using var http = new HttpClient(handler())
        {
            Timeout = TimeSpan.FromSeconds(20),
            MaxResponseContentBufferSize = MaxBytes,
        };
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            Checked(requestToken, $"The variable {GitHubTokenVariable}")
        );
        using var response = await http.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        try
        {
            if (
                response.IsSuccessStatusCode
                && JsonDocument.Parse(body).RootElement.TryGetProperty("value", out var value)
                && value.ValueKind == JsonValueKind.String
            )
            {
                return Checked(value.GetString()!, "GitHub's answer");
            }
        }
        catch (JsonException)
        {
            // Told below: the body may hold a token and is not quoted.
        }

        throw new CliException(
            ExitCodes.Unavailable,
            $"GitHub gave no identity token (HTTP {(int)response.StatusCode}).",
            "Check \"permissions: id-token: write\" of the job, and try again."
        );
    }

    private static string Checked(string token, string where) =>
        token switch
        {
            "" => throw CliException.Usage($"{where} holds no token.", "It should hold the token alone, on one line."),
            { Length: > MaxBytes } => throw CliException.Usage(
                $"{where} holds more than {MaxBytes / 1024} KiB.",
                "It should hold the token alone, on one line."
            ),
            _ when token.AsSpan().ContainsAnyExcept(TokenCharacters) => throw CliException.Usage(
                $"{where} holds something else than a token.",
                "It should hold the token alone, on one line."
            ),
            _ => token,
        };
}
