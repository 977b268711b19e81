using System.Net;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server.Floods;

/// <summary>
/// What strangers and agents can send at once, over TLS and to an address that agents and people share: an admin's order
/// is accepted all the same, on a connection of its own from the attackers' own address.
/// </summary>
[Collection(FloodsAlone.Name)]
public sealed class FloodTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    // A machine with two cores that builds meanwhile takes long for anything; an order that waits for the attackers'
    // timeouts takes minutes.
    private static readonly TimeSpan AtWorst = TimeSpan.FromSeconds(5);

    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string?> _tls;
    private TestBroker _parts = null!;

    public FloodTests()
    {
        var (certificate, key) = (_folder.File("server.pem"), _folder.File("server.key"));
        TlsFiles.Write(certificate, key, "CN=flood");
        _tls = new()
        {
            ["Listen:Agents:Url"] = "https://127.0.0.1:0",
            ["Listen:Agents:CertificateFile"] = certificate,
            ["Listen:Agents:KeyFile"] = key,
        };
    }

    public async ValueTask InitializeAsync() => _parts = await TestBroker.StartAsync(_tls);

    public async ValueTask DisposeAsync()
    {
        await _parts.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Idle_connections_slow_bodies_and_exchanges_in_flight_keep_no_order_out()
    {
        Attackers.NeedOpenFiles(16_000);
        // As many as are to be in flight: with fewer places the rest is only refused.
        await _parts.DisposeAsync();
        _tls["Listen:MaxRequests"] = "6000";
        _parts = await TestBroker.StartAsync(_tls);
        var (address, agent) = (_parts.Addresses[0], _parts.Agent());
        var (inFlight, go) = (0, new TaskCompletionSource());
        _parts.Vault.BeforeMint = () =>
        {
            Interlocked.Increment(ref inFlight);
            return go.Task;
        };
        await using (var attackers = new Attackers(address))
        {
            await attackers.ConnectAsync(5_000, handshake: true);
            await AssertAcceptedAsync(address);
            attackers.Repeat(
                5_000,
                async (http, end) =>
                {
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
                    {
                        Content = Api.Exchange(),
                        Version = HttpVersion.Version20,
                        Headers = { Authorization = new("Bearer", agent) },
                    };
                    using var response = await http.SendAsync(request, end);
                }
            );
            attackers.Dribble(
                1_000,
                "POST /v1/credentials HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + $"Authorization: Bearer {agent}\r\nContent-Length: 60000\r\n\r\n"
            );
            await Eventually.BecomesTrueAsync(() => Task.FromResult(inFlight >= 5_000), "exchanges in flight");

            await AssertAcceptedAsync(address);
            go.SetResult();
        }
    }

    [Fact]
    public async Task A_pipelined_flood_for_the_document_keeps_no_order_out_and_the_process_ends_when_told()
    {
        await _parts.StopAsync();
        await using var broker = await BrokerProcess.StartAsync(ProcessSettings());
        var address = broker.Addresses[0];
        await using (var attackers = new Attackers(address))
        {
            attackers.Pipeline(40, times: 250, "GET /openapi/v1.json HTTP/1.1\r\nHost: x\r\n\r\n");
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            await AssertAcceptedAsync(address);
        }

        // The attackers are gone: nothing of what they had sent is worked on for long.
        await AssertAcceptedAsync(address);
        var exit = await broker.StopAsync().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System);
        Assert.Equal(0, exit);
    }

    [Fact]
    public async Task Connections_that_never_shake_hands_keep_no_order_out()
    {
        Attackers.NeedOpenFiles(8_000);
        await _parts.StopAsync();
        await using var broker = await BrokerProcess.StartAsync(ProcessSettings());
        await using var attackers = new Attackers(broker.Addresses[0]);
        await attackers.ConnectAsync(4_096, handshake: false);

        await AssertAcceptedAsync(broker.Addresses[0]);
    }

    [Fact]
    public async Task Forged_tokens_keep_no_order_out_and_nobody_who_is_known()
    {
        var (address, agent) = (_parts.Addresses[0], _parts.Agent());
        using var known = Attackers.Client(address, HttpVersion.Version20);
        await AssertIssuedAsync(known, agent);
        var (forged, sent, tooMany) = (_parts.Agent("forged")[..^8], 0, 0);
        await using var attackers = new Attackers(address);
        attackers.Repeat(
            2_500,
            async (http, end) =>
            {
                for (var i = 0; i < 20; i++)
                {
                    // The name of a key that there is, and a signature that was made with none.
                    using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
                    {
                        Content = Api.Exchange(),
                        Version = HttpVersion.Version20,
                        Headers = { Authorization = new("Bearer", $"{forged}{Interlocked.Increment(ref sent):x6}AA") },
                    };
                    using var response = await http.SendAsync(request, end);
                    Assert.False(response.IsSuccessStatusCode);
                    if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
                    {
                        Interlocked.Increment(ref tooMany);
                        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
                    }
                }
            }
        );
        await Eventually.BecomesTrueAsync(() => Task.FromResult(tooMany > 0), "a forged token that is not looked at");

        await AssertAcceptedAsync(address);
        for (var i = 0; i < 5; i++)
        {
            await AssertIssuedAsync(known, agent);
        }
    }

    private static async Task AssertIssuedAsync(HttpClient http, string agent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
        {
            Content = Api.Exchange(),
            Version = HttpVersion.Version20,
            Headers = { Authorization = new("Bearer", agent) },
        };
        using var limit = new CancellationTokenSource(AtWorst, TimeProvider.System);
        using var response = await http.SendAsync(request, limit.Token);
        await response.ReadAsync(HttpStatusCode.Created);
    }

    /// <summary>Up to five orders, each on a new connection, until one was accepted soon; none is late.</summary>
    private async Task AssertAcceptedAsync(Uri address)
    {
        var took = new List<TimeSpan>();
        do
        {
            var started = TimeProvider.System.GetTimestamp();
            while (!await IsAcceptedAsync(address))
            {
                Assert.True(TimeProvider.System.GetElapsedTime(started) < AtWorst, "no order is accepted");
            }

            took.Add(TimeProvider.System.GetElapsedTime(started));
        } while (took[^1] > Soon && took.Count < 5);

        Assert.True(took.Min() < Soon && took.Max() < AtWorst, $"orders took {string.Join(", ", took)}");
    }

    private async Task<bool> IsAcceptedAsync(Uri address)
    {
        using var http = Attackers.Client(address, HttpVersion.Version11);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/revocations")
        {
            Content = Api.Json("""{"credential":"shared-key","allowNone":true}"""),
            Headers = { Authorization = new("Bearer", _parts.Person("admin")) },
        };
        using var limit = new CancellationTokenSource(AtWorst, TimeProvider.System);
        try
        {
            using var response = await http.SendAsync(request, limit.Token);
            return response.StatusCode == HttpStatusCode.Accepted;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    private Dictionary<string, string?> ProcessSettings()
    {
        var settings = _parts.Settings();
        foreach (var (name, value) in _tls)
        {
            settings[name] = value;
        }

        settings["Log:Level"] = "Information";
        return settings;
    }
}
