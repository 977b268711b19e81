using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Diagnostics;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CredBroker.IntegrationTests.Server;

[Collection(TelemetryTests.OneAtATime)]
public sealed class TelemetryTests
{
    /// <summary>
    /// Brokers whose metrics are looked at: of two in one process, which is none that there is outside of tests, the end of
    /// one silences the gauges of the other.
    /// </summary>
    public const string OneAtATime = "metrics of a process";

    private const string Credential = "billing-readonly";

    private static readonly Dictionary<string, string?> WithMetrics = new()
    {
        ["Listen:Metrics:Url"] = "http://127.0.0.1:0",
    };

    [Fact]
    public async Task A_trace_is_the_brokers_own_links_the_callers_and_names_the_credential_only_where_it_was_issued()
    {
        var seen = new ConcurrentDictionary<string, (string? Credential, ActivityTraceId[] Links)>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name == Telemetry.Name && activity.OperationName == "credbroker.exchange")
                {
                    seen[activity.TraceId.ToHexString()] = (
                        activity.GetTagItem("credbroker.credential") as string,
                        [.. activity.Parent!.Links.Select(link => link.Context.TraceId)]
                    );
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await using var broker = await TestBroker.StartAsync();
        var theirs = ActivityTraceId.CreateRandom();

        using var good = await SendAsync(broker, broker.Agent(), Credential, theirs);
        await good.ReadAsync(HttpStatusCode.Created);
        using var made = await SendAsync(broker, broker.Agent(), "made-up-by-the-caller", theirs);
        var unknown = await made.ReadProblemAsync("CB2006");
        using var refused = await SendAsync(broker, "no.token.atall", Credential, theirs);
        var stranger = await refused.ReadProblemAsync("CB1002");

        Assert.DoesNotContain(theirs.ToHexString(), seen.Keys);
        // Brokers of other tests are in this process, too.
        var ours = seen.Values.Where(trace => trace.Links.Contains(theirs));
        Assert.Equal([theirs], Assert.Single(ours, trace => trace.Credential == Credential).Links);
        Assert.Null(seen[TraceOf(unknown)].Credential);

        // Whoever is refused for their token never gets as far as an exchange.
        Assert.DoesNotContain(TraceOf(stranger), seen.Keys);
    }

    [Fact]
    public async Task Metrics_are_answered_at_their_own_address_alone_and_count_what_happened()
    {
        await using var broker = await TestBroker.StartAsync(WithMetrics);
        using (var issued = await SendAsync(broker, broker.Agent(), Credential))
        {
            await issued.ReadAsync(HttpStatusCode.Created);
        }

        using var metrics = Metrics(broker);
        await Eventually.BecomesTrueAsync(async () =>
        {
            var text = await metrics.GetStringAsync("/metrics");
            return Has(text, "credbroker_exchanges_total", "outcome=\"issued\"")
                && Has(text, "credbroker_events_total", "type=\"lease.issued\"")
                && Has(text, "credbroker_leases", "state=\"active\"")
                && Has(text, "credbroker_health", "part=\"vault\"")
                && !text.Contains("triage", StringComparison.Ordinal);
        });

        using var atAgents = await broker.Http.GetAsync("/metrics");
        await atAgents.ReadProblemAsync("CB6010");
        using var asAgent = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
        {
            Content = Api.Exchange(Credential),
            Headers = { Authorization = new("Bearer", broker.Agent()) },
        };
        using var atMetrics = await metrics.SendAsync(asAgent);
        await atMetrics.ReadProblemAsync("CB6010");
    }

    [Fact]
    public async Task Without_an_address_for_metrics_there_are_none()
    {
        await using var broker = await TestBroker.StartAsync();

        using var answer = await broker.Http.GetAsync("/metrics");

        await answer.ReadProblemAsync("CB6010");
    }

    [Fact]
    public async Task Metrics_and_traces_are_sent_to_a_collector_without_token_or_secret()
    {
        var received = new ConcurrentDictionary<string, ConcurrentQueue<byte[]>>();
        await using var collector = await StartCollectorAsync(received);
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Telemetry:OtlpEndpoint"] = collector.Urls.Single() }
        );
        var token = broker.Agent();
        using (var issued = await SendAsync(broker, token, Credential))
        {
            await issued.ReadAsync(HttpStatusCode.Created);
        }

        // What was not sent yet is at the end.
        await broker.StopAsync();

        var sent = received.ToDictionary(
            path => path.Key,
            path => Encoding.Latin1.GetString([.. path.Value.SelectMany(body => body)])
        );
        Assert.Equal(["/v1/metrics", "/v1/traces"], sent.Keys.Order());
        Assert.Contains("credbroker.exchange.duration", sent["/v1/metrics"], StringComparison.Ordinal);
        Assert.Contains("credbroker.store.commit", sent["/v1/traces"], StringComparison.Ordinal);
        Assert.All(sent.Values, text => Assert.DoesNotContain(token[^40..], text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Each_event_is_one_line_with_the_lease_and_the_trace_that_the_caller_was_given()
    {
        var lines = new ConcurrentQueue<(string Category, string Text)>();
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Log:Level"] = "Information" },
            replace: services => services.AddSingleton<ILoggerProvider>(new Lines(lines))
        );
        using var issued = await SendAsync(broker, broker.Agent(), Credential, task: "lease=forged");
        var lease = (await issued.ReadAsync(HttpStatusCode.Created)).GetProperty("leaseId").GetString();
        using var denied = await SendAsync(broker, broker.Agent(), "unknown-to-policy");
        var problem = await denied.ReadProblemAsync("CB2006");

        var events = lines.Where(line => line.Category == "CredBroker.Events").Select(line => line.Text).ToList();
        var issuance = Assert.Single(events, line => line.StartsWith("lease.issued ", StringComparison.Ordinal));
        Assert.Contains($" lease={lease} ", issuance, StringComparison.Ordinal);
        Assert.Contains(" task=\"lease=forged\" ", issuance, StringComparison.Ordinal);
        var denial = Assert.Single(events, line => line.StartsWith("request.denied ", StringComparison.Ordinal));
        Assert.Contains(" reason=CB2006 ", denial, StringComparison.Ordinal);
        Assert.EndsWith($" trace={TraceOf(problem)}", denial, StringComparison.Ordinal);
    }

    private static string TraceOf(JsonElement problem) => problem.GetProperty("traceId").GetString()!;

    private static bool Has(string text, string metric, string tag) =>
        text.Split('\n')
            .Any(line =>
                line.StartsWith(metric + "{", StringComparison.Ordinal)
                && line.Contains(tag, StringComparison.Ordinal)
                && !line.EndsWith(" 0", StringComparison.Ordinal)
            );

    private static HttpClient Metrics(TestBroker broker) =>
        new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = broker.Addresses[^1] };

    private static async Task<WebApplication> StartCollectorAsync(
        ConcurrentDictionary<string, ConcurrentQueue<byte[]>> received
    )
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost(
            "/{**path}",
            async (HttpContext http) =>
            {
                using var body = new MemoryStream();
                await http.Request.Body.CopyToAsync(body);
                received.GetOrAdd(http.Request.Path.Value!, _ => new()).Enqueue(body.ToArray());
                return Results.Ok();
            }
        );
        await app.StartAsync();
        return app;
    }

    private static async Task<HttpResponseMessage> SendAsync(
        TestBroker broker,
        string token,
        string credential,
        ActivityTraceId? trace = null,
        string task = "task-1"
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/credentials")
        {
            Content = Api.Exchange(credential, task: task),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (trace is { } theirs)
        {
            request.Headers.Add("traceparent", $"00-{theirs}-{ActivitySpanId.CreateRandom()}-01");
        }

        return await broker.Http.SendAsync(request);
    }

    private sealed class Lines(ConcurrentQueue<(string Category, string Text)> lines) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Logger(categoryName, lines);

        public void Dispose() { }

        private sealed class Logger(string category, ConcurrentQueue<(string, string)> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel,
                EventId eventId,
                TState state,
                Exception? exception,
                Func<TState, Exception?, string> formatter
            ) => lines.Enqueue((category, formatter(state, exception)));
        }
    }
}
