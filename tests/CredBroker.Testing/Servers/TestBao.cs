using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using CredBroker.Testing.Processes;

namespace CredBroker.Testing.Servers;

/// <summary>
/// A real OpenBao (or Vault) on a free loopback port. The binary is found by <c>CREDBROKER_TEST_BAO</c>, then as
/// <c>bao</c> or <c>vault</c> on PATH; without one the calling test is skipped with that reason. Start it from a test
/// or from the <c>InitializeAsync</c> of a test class.
/// </summary>
public sealed class TestBao : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private readonly HttpClient _http;
    private readonly string[] _arguments;
    private ChildProcess? _server;
    private string _unsealKey = "";

    private TestBao(DirectoryInfo directory, int port, string[] arguments)
    {
        _directory = directory;
        _arguments = arguments;
        Address = new Uri($"http://127.0.0.1:{port}");
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Address };
    }

    /// <summary>Where it listens; plain http on loopback.</summary>
    public Uri Address { get; }

    /// <summary>The operator's token.</summary>
    public string RootToken { get; private set; } = "root";

    /// <summary>The namespace that calls are made in; empty for the root.</summary>
    public string Namespace { get; private set; } = "";

    /// <summary>The server's own audit log, one JSON object a line.</summary>
    public string AuditLogPath => Path.Combine(_directory.FullName, "audit.log");

    /// <summary>The program, or null where there is none.</summary>
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

    /// <summary>Skips the calling test where there is no binary.</summary>
    public static void SkipUnlessAvailable() =>
        Assert.SkipWhen(
            FindBinary() is null,
            "No OpenBao or Vault binary: set CREDBROKER_TEST_BAO or put bao or vault on PATH."
        );

    /// <summary>In memory, unsealed, root token <c>root</c>, KV v2 at <c>secret/</c>; up in about 0.3 s.</summary>
    /// <param name="configuration">More of its configuration file, in HCL.</param>
    public static Task<TestBao> StartAsync(string configuration = "") => StartAsync(sealable: false, configuration);

    /// <summary>
    /// On disk (raft), initialised and unsealed: it can be sealed, killed and started again. It has no mounts but the
    /// built-in ones.
    /// </summary>
    public static async Task<TestBao> StartSealableAsync(string configuration = "")
    {
        var bao = await StartAsync(sealable: true, configuration);
        try
        {
            var keys = await bao.SendAsync(
                HttpMethod.Put,
                "sys/init",
                new JsonObject { ["secret_shares"] = 1, ["secret_threshold"] = 1 },
                token: ""
            );
            bao.RootToken = keys.GetProperty("root_token").GetString()!;
            bao._unsealKey = keys.GetProperty("keys")[0].GetString()!;
            await bao.UnsealAsync();
            return bao;
        }
        catch
        {
            await bao.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// So many nodes of one cluster on disk, initialised and unsealed: the first is active, the others are standbys, which
    /// answer reads themselves and pass on the rest.
    /// </summary>
    public static async Task<IReadOnlyList<TestBao>> StartClusterAsync(int count)
    {
        var nodes = new List<TestBao> { await StartSealableAsync() };
        try
        {
            while (nodes.Count < count)
            {
                // One that says another place for its audit log than the cluster knows does not become active.
                var node = await StartAsync(sealable: true, "", nodes[0].AuditLogPath);
                nodes.Add(node);
                (node.RootToken, node._unsealKey) = (nodes[0].RootToken, nodes[0]._unsealKey);
                await node.SendAsync(
                    HttpMethod.Post,
                    "sys/storage/raft/join",
                    new JsonObject { ["leader_api_addr"] = nodes[0].Address.ToString() },
                    token: ""
                );
                await node.UnsealAsync(health: HttpStatusCode.TooManyRequests);
            }

            await nodes[0].AreVotersAsync(count);
            return nodes;
        }
        catch
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }

            throw;
        }
    }

    /// <summary>Makes a namespace, with KV v2 at <c>secret/</c>, in which all calls are made from here on.</summary>
    public async Task EnterNamespaceAsync(string name)
    {
        await SendAsync(HttpMethod.Post, $"sys/namespaces/{name}");
        Namespace = name;
        await SendAsync(
            HttpMethod.Post,
            "sys/mounts/secret",
            new JsonObject
            {
                ["type"] = "kv",
                ["options"] = new JsonObject { ["version"] = "2" },
            }
        );
    }

    /// <summary>Seals it: every call answers 503 until <see cref="UnsealAsync"/>.</summary>
    public Task SealAsync() => SendAsync(HttpMethod.Put, "sys/seal");

    /// <summary>Unseals it and waits until it is active.</summary>
    public Task UnsealAsync() => UnsealAsync(HttpStatusCode.OK);

    private async Task UnsealAsync(HttpStatusCode health)
    {
        await SendAsync(HttpMethod.Put, "sys/unseal", new JsonObject { ["key"] = _unsealKey }, token: "");
        await WaitForAsync(status => status == health);
    }

    /// <summary>Kills it, as a crash would.</summary>
    public Task KillAsync() => _server!.KillAsync();

    /// <summary>What a sealable one holds now, as a backup takes it.</summary>
    public async Task<byte[]> SnapshotAsync()
    {
        using var answer = await CallAsync(HttpMethod.Get, "sys/storage/raft/snapshot");
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>Puts it back as it was then, and unseals it.</summary>
    public async Task RestoreAsync(byte[] snapshot)
    {
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sys/storage/raft/snapshot-force"))
        {
            request.Headers.Add("X-Vault-Token", RootToken);
            request.Content = new ByteArrayContent(snapshot);
            using var answer = await _http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
        }

        await WaitForAsync(status => status == HttpStatusCode.OK);
    }

    /// <summary>Sends it a signal: <c>STOP</c> and <c>CONT</c> pause it.</summary>
    public Task SignalAsync(string signal) => _server!.SignalAsync(signal);

    /// <summary>What it has written to the console since it was started, the newest part of it.</summary>
    public string Output => _server!.Output;

    /// <summary>
    /// Starts a killed server again on its port. A sealable one is unsealed; any other is a new one, with nothing in it.
    /// </summary>
    public async Task RestartAsync()
    {
        await _server!.DisposeAsync();
        await LaunchAsync();
        if (_unsealKey.Length > 0)
        {
            await UnsealAsync();
        }
    }

    /// <summary>
    /// Calls its API (<paramref name="path"/> is below <c>/v1/</c>) with the root token unless another is given, and
    /// returns the body (undefined when empty). Throws with the server's words on any answer but 2xx.
    /// </summary>
    public async Task<JsonElement> SendAsync(
        HttpMethod method,
        string path,
        JsonNode? body = null,
        string? token = null
    )
    {
        using var response = await CallAsync(method, path, body, token);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{method} {path} answered {(int)response.StatusCode}: {text}");
        }

        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The same, returning the answer whatever it is.</summary>
    public async Task<HttpResponseMessage> CallAsync(
        HttpMethod method,
        string path,
        JsonNode? body = null,
        string? token = null,
        CancellationToken cancellationToken = default
    )
    {
        using var request = new HttpRequestMessage(method, "/v1/" + path);
        if ((token ?? RootToken) is { Length: > 0 } sent)
        {
            request.Headers.Add("X-Vault-Token", sent);
        }

        if (Namespace.Length > 0)
        {
            request.Headers.Add("X-Vault-Namespace", Namespace);
        }

        request.Content = body is null ? null : JsonContent.Create(body);
        return await _http.SendAsync(request, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _directory.Delete(recursive: true);
    }

    private static async Task<TestBao> StartAsync(bool sealable, string configuration, string? auditLog = null)
    {
        SkipUnlessAvailable();
        for (var attempt = 1; ; attempt++)
        {
            var bao = Prepare(sealable, configuration, auditLog);
            try
            {
                await bao.LaunchAsync();
                return bao;
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
                await bao.DisposeAsync();
            }
            catch
            {
                await bao.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Waits until so many nodes have a vote: one that has just joined has none, and takes nobody's place.</summary>
    private Task AreVotersAsync(int count) =>
        Eventually.BecomesTrueAsync(
            async () =>
                (await SendAsync(HttpMethod.Get, "sys/storage/raft/configuration"))
                    .GetProperty("data")
                    .GetProperty("config")
                    .GetProperty("servers")
                    .EnumerateArray()
                    .Count(server => server.GetProperty("voter").GetBoolean()) == count,
            $"{count} nodes have a vote"
        );

    private static TestBao Prepare(bool sealable, string configuration, string? auditLog)
    {
        var (port, directory) = (LoopbackPort.Next(), Directory.CreateTempSubdirectory("credbroker-bao-"));
        var (file, cluster) = (Path.Combine(directory.FullName, "server.hcl"), LoopbackPort.Next());
        var audit = $$"""
            audit "file" "file" {
              options { file_path = "{{auditLog ?? Path.Combine(directory.FullName, "audit.log")}}" }
            }
            """;
        var storage = $$"""
            storage "raft" {
              path    = "{{directory.CreateSubdirectory("data").FullName}}"
              node_id = "{{port}}"
              performance_multiplier = 1
            }
            listener "tcp" {
              address         = "127.0.0.1:{{port}}"
              cluster_address = "127.0.0.1:{{cluster}}"
              tls_disable     = true
            }
            api_addr      = "http://127.0.0.1:{{port}}"
            cluster_addr  = "https://127.0.0.1:{{cluster}}"
            disable_mlock = true
            """;
        File.WriteAllText(file, string.Join('\n', audit, sealable ? storage : "", configuration));
        string[] dev =
        [
            "server",
            "-dev",
            "-dev-no-store-token",
            "-dev-root-token-id=root",
            $"-dev-listen-address=127.0.0.1:{port}",
            $"-config={file}",
            "-log-level=warn",
        ];
        return new TestBao(directory, port, sealable ? ["server", $"-config={file}", "-log-level=warn"] : dev);
    }

    private async Task LaunchAsync()
    {
        _server = ChildProcess.Start(FindBinary()!, _arguments);
        // 501: not initialised, 503: sealed. Both are a server that answers.
        var isDev = _arguments.Contains("-dev");
        await WaitForAsync(status =>
            status == HttpStatusCode.OK
            || (!isDev && status is HttpStatusCode.NotImplemented or HttpStatusCode.ServiceUnavailable)
        );
    }

    private async Task WaitForAsync(Func<HttpStatusCode, bool> ready)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        while (true)
        {
            if (_server!.HasExited)
            {
                throw new InvalidOperationException(
                    $"The server ended with {_server.Process.ExitCode}: {_server.Output}"
                );
            }

            try
            {
                using var response = await _http.GetAsync("/v1/sys/health", limit.Token);
                if (ready(response.StatusCode))
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, limit.Token);
        }
    }
}
