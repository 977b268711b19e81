using CredBroker.Server.Hosting;

namespace CredBroker.UnitTests.Server;

public sealed class TelemetryOptionsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("http://127.0.0.1:4318")]
    [InlineData("https://collector.acme.example/otlp")]
    public void A_collector_on_this_machine_or_behind_TLS_is_taken(string endpoint) =>
        Assert.Empty(new TelemetryOptions { OtlpEndpoint = endpoint }.Validate());

    [Theory]
    [InlineData("http://collector.acme.example:4318")]
    [InlineData("https://user:password@collector.acme.example")]
    [InlineData("https://collector.acme.example/?key=1")]
    [InlineData("collector")]
    public void Anything_else_is_a_fault_that_says_what_to_write(string endpoint) =>
        Assert.Contains(
            "write the https:// address",
            Assert.Single(new TelemetryOptions { OtlpEndpoint = endpoint }.Validate()),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void A_part_of_the_traces_is_from_0_to_1(double ratio) =>
        Assert.Contains(
            "from 0 to 1",
            Assert.Single(new TelemetryOptions { TraceRatio = ratio }.Validate()),
            StringComparison.Ordinal
        );

    [Fact]
    public void The_signals_paths_follow_the_collectors() =>
        Assert.Equal(
            "https://collector.acme.example/otlp/v1/metrics",
            new Uri(
                new TelemetryOptions { OtlpEndpoint = "https://collector.acme.example/otlp" }.Collector!,
                "v1/metrics"
            ).ToString()
        );
}
