using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using CredBroker.Dev;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Dev;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.IntegrationTests.Server;

/// <summary>
/// Dev mode from one end to the other: the real broker, DevVault and the dev issuer, as a newcomer meets them. And
/// nothing of the secrets is left behind anywhere.
/// </summary>
public sealed class DevStoryTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _traces = new();
    private ActivityListener _listener = null!;
    private DevMode _dev = null!;
    private WebApplication _broker = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
                _traces.Enqueue(
                    $"{activity.DisplayName} {string.Join(' ', activity.TagObjects)} "
                        + $"{string.Join(' ', activity.Baggage)} "
                        + $"{string.Join(' ', activity.Events.SelectMany(e => e.Tags))}"
                ),
        };
        ActivitySource.AddActivityListener(_listener);
        _dev = await DevMode.StartAsync(new() { Port = 0 }, CancellationToken.None);
        _broker = BrokerHost.Build(
            _dev.Settings,
            devMode: true,
            services =>
                services.AddLogging(logging =>
                    logging
                        .SetMinimumLevel(LogLevel.Trace)
                        .AddFilter<QueueLogs>(null, LogLevel.Trace)
                        .AddProvider(new QueueLogs(_traces))
                )
        );
        await _broker.StartAsync();
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(_broker.Urls.Single()),
        };
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _broker.DisposeAsync();
        await _dev.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task The_whole_story_runs_in_dev_mode_and_leaves_no_secret_behind()
    {
        var agent = _dev.Issuer.MintForAgent("triage", "triage-1", TimeSpan.FromMinutes(10));
        var (admin, auditor) = (
            _dev.Issuer.MintForPerson(DevPerson.Admin, TimeSpan.FromMinutes(10)),
            _dev.Issuer.MintForPerson(DevPerson.Auditor, TimeSpan.FromMinutes(10))
        );

        // An agent gets a KV secret, and a certificate for its own key that names it and nobody else.
        var value = await SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            agent,
            Body("billing-api-key", "read"),
            HttpStatusCode.Created
        );
        var secret = value.GetProperty("secret").GetProperty("data").GetProperty("key").GetString()!;
        Assert.StartsWith("dev-", secret, StringComparison.Ordinal);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var csr = new CertificateRequest("CN=somebody-else", key, HashAlgorithmName.SHA256).CreateSigningRequestPem();
        var certified = await SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            agent,
            Body("agent-mtls", "connect", $",\"csr\":{JsonSerializer.Serialize(csr)}"),
            HttpStatusCode.Created
        );
        using var certificate = X509Certificate2.CreateFromPem(
            certified.GetProperty("secret").GetProperty("certificate").GetString()
        );
        Assert.Contains(
            "spiffe://dev.credbroker.example/agents/triage/triage-1",
            Encoding.ASCII.GetString(certificate.Extensions["2.5.29.17"]!.RawData),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("somebody-else", certificate.Subject, StringComparison.Ordinal);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), certificate.PublicKey.ExportSubjectPublicKeyInfo());

        // It is denied what policy does not give it.
        var denied = await SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            agent,
            Body("payments-api-key", "transfer"),
            HttpStatusCode.Forbidden
        );
        Assert.Equal("CB2002", denied.GetProperty("code").GetString());

        // It gives one back; one runs out by itself.
        var released = await SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            agent,
            Body("agent-mtls", "connect", $",\"csr\":{JsonSerializer.Serialize(csr)}"),
            HttpStatusCode.Created
        );
        await SendAsync(HttpMethod.Delete, $"/v1/credentials/{LeaseId(released)}", agent, null, HttpStatusCode.OK);
        Assert.Equal("revoked", await StateAsync(released, agent));
        var brief = await SendAsync(
            HttpMethod.Post,
            "/v1/credentials",
            agent,
            Body("agent-mtls", "connect", $",\"ttl\":\"2s\",\"csr\":{JsonSerializer.Serialize(csr)}"),
            HttpStatusCode.Created
        );
        await Eventually.BecomesTrueAsync(
            async () => await StateAsync(brief, agent) == "revoked",
            "the end of a brief lease"
        );

        // An admin takes the rest; DevVault lists the certificate as revoked.
        var order = await SendAsync(
            HttpMethod.Post,
            "/v1/revocations",
            admin,
            """{"agent":"triage","reason":"the story"}""",
            HttpStatusCode.Accepted
        );
        var revocation = $"/v1/revocations/{order.GetProperty("revocationId").GetString()}";
        await Eventually.BecomesTrueAsync(
            async () =>
                (await SendAsync(HttpMethod.Get, revocation, admin, null, HttpStatusCode.OK))
                    .GetProperty("complete")
                    .GetBoolean(),
            "the revocation"
        );
        Assert.Equal(("revoked", "ended"), (await StateAsync(certified, agent), await StateAsync(value, agent)));

        // An auditor exports what happened.
        using var export = await RawAsync(HttpMethod.Get, "/v1/audit/export", auditor, null);
        var log = await export.Content.ReadAsStringAsync();
        Assert.Contains(LeaseId(certified), log, StringComparison.Ordinal);

        await AssertNowhereAsync(
            log,
            secret,
            agent,
            admin,
            auditor,
            _dev.Vault.RootToken,
            await File.ReadAllTextAsync(_dev.Settings["Vault:TokenFile"]!)
        );
    }

    private async Task AssertNowhereAsync(string export, params string[] secrets)
    {
        await _broker.StopAsync();
        await _broker.DisposeAsync();
        Assert.True(_traces.Count > 100, "logs and activities were not seen");
        foreach (var secret in secrets)
        {
            Assert.DoesNotContain(secret, export, StringComparison.Ordinal);
            Assert.DoesNotContain(_traces, line => line.Contains(secret, StringComparison.Ordinal));
            foreach (var file in Directory.GetFiles(_dev.DataDirectory, "credbroker.db*"))
            {
                Assert.True(
                    (await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0,
                    $"a secret stands in {file}"
                );
            }
        }
    }

    private static string Body(string credential, string action, string more = "") =>
        """{"task":{"id":"task-1","process":"invoice-triage","purpose":"look at invoice 42"}"""
        + $$""","credential":"{{credential}}","actions":["{{action}}"]{{more}}}""";

    private async Task<string?> StateAsync(JsonElement issued, string token) =>
        (await SendAsync(HttpMethod.Get, $"/v1/credentials/{LeaseId(issued)}", token, null, HttpStatusCode.OK))
            .GetProperty("state")
            .GetString();

    private static string LeaseId(JsonElement issued) => issued.GetProperty("leaseId").GetString()!;

    private async Task<JsonElement> SendAsync(
        HttpMethod method,
        string path,
        string token,
        string? body,
        HttpStatusCode expected
    )
    {
        using var response = await RawAsync(method, path, token, body);
        return await response.ReadAsync(expected);
    }

    private async Task<HttpResponseMessage> RawAsync(HttpMethod method, string path, string token, string? body)
    {
        using var request = new HttpRequestMessage(method, path)
        {
            Content = body is null ? null : Api.Json(body),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };
        return await _http.SendAsync(request);
    }

    private sealed class QueueLogs(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            lines.Enqueue(state.ToString() ?? "");
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => lines.Enqueue($"{formatter(state, exception)} {exception}");

        public void Dispose() { }
    }
}
