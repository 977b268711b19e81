using CredBroker.Core.Diagnostics;
using CredBroker.Server.Endpoints.Callers;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace CredBroker.Server.Hosting;

/// <summary>
/// What leaves the process of <see cref="Telemetry"/>: nothing, unless the settings name a listener for metrics or a
/// collector.
/// </summary>
internal static class TelemetrySetup
{
    /// <summary>The source of the server's own span of each request.</summary>
    private const string Requests = "Microsoft.AspNetCore";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Whether anybody wants to know.</summary>
    public static bool IsOn(BrokerSettings settings) =>
        settings.Listen.Metrics is not null || settings.Telemetry.Collector is not null;

    public static void AddBrokerTelemetry(this IServiceCollection services, BrokerSettings settings)
    {
        services.AddMetrics();
        services.AddOwnTraces();
        services.AddSingleton<EventLog>().AddSingleton<StateGauges>();
        if (!IsOn(settings))
        {
            return;
        }

        var collector = settings.Telemetry.Collector;
        var telemetry = services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("credbroker"));
        telemetry.WithMetrics(metrics =>
        {
            metrics.AddMeter(Telemetry.Name);
            if (settings.Listen.Metrics is not null)
            {
                metrics.AddPrometheusExporter();
            }

            if (collector is not null)
            {
                metrics.AddOtlpExporter(otlp => SendTo(otlp, new Uri(collector, "v1/metrics")));
            }
        });
        if (collector is not null)
        {
            telemetry.WithTracing(traces =>
                traces
                    .AddSource(Telemetry.Name, Requests)
                    .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(settings.Telemetry.TraceRatio)))
                    .AddOtlpExporter(otlp => SendTo(otlp, new Uri(collector, "v1/traces")))
            );
        }
    }

    /// <summary><c>GET /metrics</c>, at the listener for it and nowhere else.</summary>
    public static void MapBrokerMetrics(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ListenerOptions>().Metrics is not null)
        {
            app.MapPrometheusScrapingEndpoint("/metrics").CalledBy(Caller.Monitor);
        }
    }

    private static void SendTo(OtlpExporterOptions otlp, Uri endpoint)
    {
        (otlp.Protocol, otlp.Endpoint) = (OtlpExportProtocol.HttpProtobuf, endpoint);
        otlp.HttpClientFactory = () =>
            new HttpClient(
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseProxy = false,
                    UseCookies = false,
                    ActivityHeadersPropagator = null,
                    PooledConnectionLifetime = TimeSpan.FromMinutes(10),
                }
            )
            {
                Timeout = Timeout,
            };
    }
}
