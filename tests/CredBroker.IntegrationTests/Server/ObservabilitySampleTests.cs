using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using CredBroker.Core.Diagnostics;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Server;

/// <summary>What <c>samples/observability</c> asks for is what a running broker has.</summary>
[Collection(TelemetryTests.OneAtATime)]
public sealed partial class ObservabilitySampleTests
{
    [Theory]
    [InlineData("grafana-dashboard.json")]
    [InlineData("alerts.yaml")]
    public async Task Names_only_metrics_that_a_running_broker_has(string file)
    {
        var known = (await InstrumentsAsync()).SelectMany(Names).ToHashSet();

        var named = MetricName().Matches(await ReadAsync(file)).Select(match => match.Value).ToHashSet();

        Assert.NotEmpty(named);
        Assert.Empty(named.Except(known));
    }

    [Fact]
    public async Task The_dashboard_shows_every_metric()
    {
        var text = await ReadAsync("grafana-dashboard.json");

        Assert.All(
            await InstrumentsAsync(),
            instrument => Assert.Contains(Names(instrument), name => text.Contains(name, StringComparison.Ordinal))
        );
    }

    private static async Task<ICollection<Instrument>> InstrumentsAsync()
    {
        var instruments = new ConcurrentDictionary<string, Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == Telemetry.Name)
                {
                    instruments[instrument.Name] = instrument;
                }
            },
        };
        listener.Start();
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?> { ["Listen:Metrics:Url"] = "http://127.0.0.1:0" }
        );
        // The gauges are there when the job first looks.
        await Eventually.BecomesTrueAsync(
            () => Task.FromResult(instruments.ContainsKey("credbroker.health")),
            "the gauges"
        );
        return instruments.Values;
    }

    private static Task<string> ReadAsync(string file) =>
        File.ReadAllTextAsync(Path.Combine(Repository.Root, "samples", "observability", file));

    /// <summary>How an instrument is called in Prometheus' text format.</summary>
    private static IEnumerable<string> Names(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "s" ? "_seconds" : "");
        return instrument switch
        {
            Counter<long> => [name + "_total"],
            Histogram<double> or Histogram<int> => [name + "_bucket", name + "_sum", name + "_count"],
            _ => [name],
        };
    }

    [GeneratedRegex("credbroker_[a-z_]+")]
    private static partial Regex MetricName();
}
