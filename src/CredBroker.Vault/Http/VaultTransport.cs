using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Diagnostics;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Issuing;

namespace CredBroker.Vault.Http;

/// <summary>
/// Sends one call to Vault, once, and says what became of it; nothing is thrown for a Vault that is away, slow, sealed
/// or talking nonsense. Connections are kept; redirects are not followed (a standby answers with one); an answer is
/// bounded; secrets travel in headers and bodies only.
/// </summary>
internal sealed class VaultTransport : IVaultLine, IDisposable
{
    private const int MaxWords = 400;
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(5);
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    // Not HttpClient, which would add a timeout, a linked token and a buffering step of its own to each call.
    private readonly HttpMessageInvoker _http;
    private readonly ConcurrentBag<VaultProof> _proofs = [];
    private readonly VaultOptions _options;
    private readonly TimeProvider _time;
    private readonly VaultCluster _cluster;
    private readonly int _maxConnections;
    private readonly string _vaultNamespace;
    private readonly int _maxResponseBytes;

    public VaultTransport(
        VaultOptions options,
        TimeProvider time,
        int? maxConnections = null,
        VaultCluster? cluster = null
    )
    {
        _cluster = cluster ?? new();
        (_options, _time, _maxConnections) = (options, time, maxConnections ?? options.MaxConnections);
        _vaultNamespace = options.Namespace;
        Address = new Uri(options.Address);
        _http = new HttpMessageInvoker(NewHandler(), disposeHandler: true);
        _maxResponseBytes = options.MaxResponseBytes;
    }

    private SocketsHttpHandler NewHandler() =>
        new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // Shorter than Vault's own idle limit (5 minutes), so that a kept connection is seldom closed under a call.
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            // A changed DNS answer is noticed.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxConnectionsPerServer = _maxConnections,
            // No trace headers: what an agent sends as traceparent, tracestate or baggage must not travel on to Vault
            // beside the broker's token.
            ActivityHeadersPropagator = null,
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy =
                    _options.CaFile.Length > 0 ? CertificateAuthorities.TrustOnly(_options.CaFile) : null,
            },
        };

    /// <summary>Where Vault is.</summary>
    public Uri Address { get; }

    /// <inheritdoc/>
    public ValueTask<VaultReply> SendAsync(VaultCall call, CancellationToken cancellationToken) =>
        SendAsync(_http, call, cancellationToken);

    /// <summary>The same, over connections of the caller's.</summary>
    public async ValueTask<VaultReply> SendAsync(
        HttpMessageInvoker http,
        VaultCall call,
        CancellationToken cancellationToken
    )
    {
        using var span = Telemetry.Start("credbroker.vault", ActivityKind.Client);
        var started = Stopwatch.GetTimestamp();
        var reply = await SendOnceAsync(http, call, cancellationToken);
        var outcome = reply switch
        {
            VaultReply.Done => "done",
            VaultReply.Declined => "declined",
            VaultReply.NotSent => "not-sent",
            _ => "lost",
        };
        span?.SetTag("credbroker.operation", call.Operation)
            .SetTag("credbroker.outcome", outcome)
            .SetTag("credbroker.lease_id", call.LeaseId);
        Telemetry.VaultAnswered(call.Operation, outcome, started);
        return reply;
    }

    private async ValueTask<VaultReply> SendOnceAsync(
        HttpMessageInvoker http,
        VaultCall call,
        CancellationToken cancellationToken
    )
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return new VaultReply.NotSent("the time for it was over");
        }

        using var limit = new CancellationTokenSource(call.Timeout, _time);
        await using var ending = cancellationToken.UnsafeRegister(
            static state => ((CancellationTokenSource)state!).Cancel(),
            limit
        );
        using var request = Build(call);
        try
        {
            using var response = await http.SendAsync(request, limit.Token);
            await response.Content.LoadIntoBufferAsync(_maxResponseBytes, limit.Token);
            var body = await response.Content.ReadAsByteArrayAsync(limit.Token);
            return Read(call, response, body, _time.GetUtcNow());
        }
        catch (HttpRequestException fault)
            when (fault.HttpRequestError
                    is HttpRequestError.ConnectionError
                        or HttpRequestError.NameResolutionError
                        or HttpRequestError.SecureConnectionError
            )
        {
            return new VaultReply.NotSent(fault.Message);
        }
        catch (Exception fault) when (fault is HttpRequestException or SocketException)
        {
            // A socket's own: the platform lets it through where a connection is reset just as it is made.
            return new VaultReply.Lost(fault.Message);
        }
        catch (OperationCanceledException)
        {
            return new VaultReply.Lost(
                cancellationToken.IsCancellationRequested
                    ? "no answer in time"
                    : $"no answer within {call.Timeout.TotalSeconds:0.#} s"
            );
        }
    }

    /// <summary>Asks a node what it is.</summary>
    public VaultCall Health => VaultCall.Health(_options.CallTimeout);

    /// <summary>A connection of its own for one proof.</summary>
    public VaultProof Prove() => _proofs.TryTake(out var kept) ? kept : new VaultProof(this, NewHandler(), _time);

    /// <summary>Takes back the connection of a proof that came to its end.</summary>
    public void Keep(VaultProof proof)
    {
        if (_proofs.Count < _maxConnections)
        {
            _proofs.Add(proof);
        }
        else
        {
            proof.Close();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        while (_proofs.TryTake(out var proof))
        {
            proof.Close();
        }
    }

    /// <summary>Asks which cluster answers. Null, or why it is not the one that is believed.</summary>
    public async ValueTask<VaultReply?> SeeClusterAsync(CancellationToken cancellationToken) =>
        NotOurs(await SendAsync(Health, cancellationToken));

    /// <summary>Why this is not the health of a node of the believed cluster; null where it is.</summary>
    public VaultReply? NotOurs(VaultReply health)
    {
        if (health is not VaultReply.Done { Body.ClusterId: var id })
        {
            return health;
        }

        if (_cluster.See(id) is not { } why)
        {
            return null;
        }

        var isBelieved = _cluster.IsBelieved(id);
        return new VaultReply.Lost(why) { IsOfAnotherCluster = !isBelieved, IsDoubted = isBelieved };
    }

    private HttpRequestMessage Build(VaultCall call)
    {
        // The empty body matters. SocketsHttpHandler sends a request without one again, up to three times, when a kept
        // connection ends before the answer; a GET that mints would then mint twice, and nobody would know of the
        // first.
        var request = new HttpRequestMessage(call.Method, new Uri(Address, "/v1/" + call.Path))
        {
            Content = new ByteArrayContent(call.Body ?? []),
        };
        if (call.Body is not null)
        {
            request.Content.Headers.ContentType = Json;
        }

        // Vault refuses calls without it where a listener asks for it; no browser can be made to send it.
        request.Headers.TryAddWithoutValidation("X-Vault-Request", "true");
        if (call.Token is { } token)
        {
            request.Headers.TryAddWithoutValidation("X-Vault-Token", token.Reveal());
        }

        if (_vaultNamespace.Length > 0 && !call.IsOfCluster)
        {
            request.Headers.TryAddWithoutValidation("X-Vault-Namespace", _vaultNamespace);
        }

        if (call.LeaseId is { } leaseId)
        {
            request.Headers.TryAddWithoutValidation("X-CredBroker-Lease", leaseId);
        }

        return request;
    }

    private static VaultReply Read(VaultCall call, HttpResponseMessage response, byte[] bytes, DateTimeOffset now)
    {
        var status = response.StatusCode;
        VaultBody? body;
        try
        {
            body = bytes.Length == 0 ? VaultBody.Empty : JsonSerializer.Deserialize(bytes, VaultJson.Default.VaultBody);
        }
        catch (JsonException)
        {
            body = null;
        }

        return (int)status switch
        {
            204 when bytes.Length == 0 => new VaultReply.Done(VaultBody.Empty),
            200 when body is not null && IsVaults(call, body) => new VaultReply.Done(body),
            >= 200 and < 300 => new VaultReply.Lost($"the answer ({(int)status}) is not Vault's"),
            >= 300 and < 400 => new VaultReply.Declined((int)status, "this node is a standby and redirects"),
            // Vault's own no lists its errors, if only as an empty list; what a proxy says is no word about Vault.
            _ => body?.Errors is { } errors
                ? new VaultReply.Declined((int)status, OneLine(string.Join("; ", errors)))
                {
                    RetryAfter = RetryAfter(response.Headers.RetryAfter, now),
                }
                : new VaultReply.Lost($"the answer ({(int)status}) is not Vault's"),
        };
    }

    /// <summary>
    /// Whether a 200 is Vault's own: whatever stands in front of it may answer 200 with a page or an empty body, and a
    /// revocation would seem to be done.
    /// </summary>
    private static bool IsVaults(VaultCall call, VaultBody body) =>
        body.RequestId is { Length: > 0 }
        || body.WrapInfo.ValueKind == JsonValueKind.Object
        || (call.IsHealth && body.Standby is not null);

    /// <summary>Bounded: what an agent is told to wait comes from here.</summary>
    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header, DateTimeOffset now) =>
        (header?.Delta ?? header?.Date - now) switch
        {
            null => null,
            { } wait when wait < TimeSpan.FromSeconds(1) => TimeSpan.FromSeconds(1),
            { } wait when wait > MaxRetryAfter => MaxRetryAfter,
            var wait => wait,
        };

    /// <summary>A text of Vault's or its backend's, on one line and bounded.</summary>
    public static string OneLine(string text)
    {
        var words = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (words.Length >= MaxWords)
            {
                return words.Append('…').ToString();
            }

            words.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }

        return words.ToString();
    }
}
