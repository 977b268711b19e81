using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CredBroker.Benchmarks.Children;

/// <summary>A real OpenBao (or Vault) in memory, and the operator's calls that prepare it.</summary>
internal sealed class OpenBao : IAsyncDisposable
{
    private const string RootToken = "root";
    private readonly HttpClient _http;

    private OpenBao(Child child)
    {
        Child = child;
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = child.Address };
        _http.DefaultRequestHeaders.Add("X-Vault-Token", RootToken);
    }

    public Child Child { get; }

    /// <summary>
    /// The program that <c>CREDBROKER_TEST_BAO</c> names, else <c>bao</c> or <c>vault</c> on PATH; null where there is
    /// none.
    /// </summary>
    public static string? FindBinary()
    {
        if (Environment.GetEnvironmentVariable("CREDBROKER_TEST_BAO") is { Length: > 0 } set)
        {
            return set;
        }

        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        return folders
            .SelectMany(folder => new[] { Path.Combine(folder, "bao"), Path.Combine(folder, "vault") })
            .FirstOrDefault(File.Exists);
    }

    public static async Task<OpenBao> StartAsync(string binary) =>
        new(
            await Child.StartAsync(
                binary,
                port =>
                    [
                        "server",
                        "-dev",
                        "-dev-no-store-token",
                        $"-dev-root-token-id={RootToken}",
                        $"-dev-listen-address=127.0.0.1:{port}",
                        "-log-level=warn",
                    ],
                IsUnsealedAsync
            )
        );

    /// <summary>One of the operator's calls; <paramref name="path"/> is below <c>/v1/</c>.</summary>
    public async Task<JsonElement> PostAsync(string path, JsonObject body)
    {
        using var answer = await _http.PostAsJsonAsync("/v1/" + path, body);
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{path} answered {(int)answer.StatusCode}: {text}");
        }

        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Child.DisposeAsync();
    }

    private static async Task<bool> IsUnsealedAsync(Uri address, CancellationToken cancellationToken)
    {
        using var probe = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        try
        {
            // The dev server makes its secret/ mount last.
            using var request = new HttpRequestMessage(
                HttpMethod.Get,
                new Uri(address, "/v1/sys/internal/ui/mounts/secret")
            )
            {
                Headers = { { "X-Vault-Token", RootToken } },
            };
            using var answer = await probe.SendAsync(request, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
