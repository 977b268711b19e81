using CredBroker.Server.Hosting;

namespace CredBroker.UnitTests.Server;

public sealed class ListenerOptionsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://localhost:0")]
    [InlineData("http://[::1]:8080")]
    public void Plain_http_is_permitted_on_this_machine_alone(string url) => Assert.Empty(Agents(url).Validate());

    [Theory]
    [InlineData("http://*:8080")]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("http://10.1.2.3:8080")]
    [InlineData("http://[::]:8080")]
    public void Plain_http_for_others_is_a_fault(string url) =>
        Assert.Contains("in clear", Assert.Single(Agents(url).Validate()), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("8443")]
    [InlineData("https://broker.example:8443")]
    [InlineData("https://127.0.0.1:8443/path")]
    [InlineData("https://user@127.0.0.1:8443")]
    [InlineData("ftp://127.0.0.1:8443")]
    [InlineData("http://+:8080")]
    public void What_is_no_listener_is_a_fault(string url) =>
        Assert.Contains(
            Agents(url, Here, Here).Validate(),
            fault => fault.StartsWith("Listen:Agents:Url is", StringComparison.Ordinal)
        );

    [Fact]
    public void Https_needs_a_certificate_that_exists()
    {
        Assert.Contains("needed", Assert.Single(new ListenerOptions().Validate()), StringComparison.Ordinal);
        Assert.Equal(2, Agents("https://127.0.0.1:8443", "/no/such.pem", "/no/such.key").Validate().Count());
        Assert.DoesNotContain(
            Agents("https://*:8443", Here, Here).Validate(),
            fault => fault.StartsWith("Listen:Agents:Url", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Bounds_are_checked() =>
        Assert.Equal(
            3,
            (
                Agents("http://localhost:1") with
                {
                    MaxConnections = 0,
                    MaxConnectionsPerAddress = 0,
                    MaxRequests = 200_000,
                }
            )
                .Validate()
                .Count()
        );

    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    [InlineData("http://127.0.0.1:8080", "http://localhost:8080")]
    [InlineData("http://[::1]:8080", "http://localhost:8080")]
    [InlineData("http://127.0.0.1:8443", "https://*:8443")]
    [InlineData("https://*:8443", "https://10.1.2.3:8443")]
    [InlineData("https://[::]:8443", "https://10.1.2.3:8443")]
    public void Two_listeners_at_one_address_are_a_fault(string agents, string people)
    {
        foreach (var (one, other) in new[] { (agents, people), (people, agents) })
        {
            Assert.Contains(
                Both(one, other).Validate(),
                fault => fault.Contains("leave Listen:People out", StringComparison.Ordinal)
            );
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8081")]
    [InlineData("http://127.0.0.1:0", "http://127.0.0.1:0")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.2:8080")]
    [InlineData("http://127.0.0.1:8080", "http://[::1]:8080")]
    public void Two_listeners_at_two_addresses_are_not(string agents, string people) =>
        Assert.Empty(Both(agents, people).Validate());

    [Fact]
    public void The_peoples_listener_is_checked_as_the_agents_is()
    {
        Assert.Contains(
            "Listen:People:Url is \"http://0.0.0.0:8081\": secrets would cross the network in clear",
            Assert.Single(Both("http://127.0.0.1:8080", "http://0.0.0.0:8081").Validate()),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "Listen:People:Url is \"\"",
            Assert.Single(Both("http://127.0.0.1:8080", "").Validate()),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_address_for_metrics_is_checked_as_the_others_are_and_is_none_of_theirs()
    {
        var both = Both("http://127.0.0.1:8080", "http://127.0.0.1:8081");
        Assert.Empty((both with { Metrics = new() { Url = "http://127.0.0.1:9464" } }).Validate());
        Assert.Contains(
            "Listen:Metrics:Url is \"http://0.0.0.0:9464\": secrets would cross the network in clear",
            Assert.Single((both with { Metrics = new() { Url = "http://0.0.0.0:9464" } }).Validate()),
            StringComparison.Ordinal
        );
        foreach (var taken in new[] { "http://127.0.0.1:8080", "http://127.0.0.1:8081" })
        {
            Assert.Contains(
                "where agents' or people's calls are answered",
                Assert.Single((both with { Metrics = new() { Url = taken } }).Validate()),
                StringComparison.Ordinal
            );
        }
    }

    private static ListenerOptions Agents(string url, string certificate = "", string key = "") =>
        new()
        {
            Agents = new()
            {
                Url = url,
                CertificateFile = certificate,
                KeyFile = key,
            },
        };

    private static ListenerOptions Both(string agents, string people) =>
        Agents(agents) with
        {
            People = new() { Url = people },
        };

    private static string Here => typeof(ListenerOptionsTests).Assembly.Location;
}
