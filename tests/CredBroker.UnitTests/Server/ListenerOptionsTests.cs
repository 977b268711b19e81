using CredBroker.Server.Hosting;

namespace CredBroker.UnitTests.Server;

public sealed class ListenerOptionsTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8080")]
    [InlineData("http://localhost:0")]
    [InlineData("http://[::1]:8080")]
    public void Plain_http_is_permitted_on_this_machine_alone(string url) =>
        Assert.Empty(new ListenerOptions { Url = url }.Validate());

    [Theory]
    [InlineData("http://*:8080")]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("http://10.1.2.3:8080")]
    [InlineData("http://[::]:8080")]
    public void Plain_http_for_others_is_a_fault(string url) =>
        Assert.Contains(
            "in clear",
            Assert.Single(new ListenerOptions { Url = url }.Validate()),
            StringComparison.Ordinal
        );

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
            new ListenerOptions
            {
                Url = url,
                CertificateFile = Here,
                KeyFile = Here,
            }.Validate(),
            fault => fault.StartsWith("Listen:Url is", StringComparison.Ordinal)
        );

    [Fact]
    public void Https_needs_a_certificate_that_exists()
    {
        Assert.Contains("needed", Assert.Single(new ListenerOptions().Validate()), StringComparison.Ordinal);
        Assert.Equal(
            2,
            new ListenerOptions { CertificateFile = "/no/such.pem", KeyFile = "/no/such.key" }
                .Validate()
                .Count()
        );
        Assert.DoesNotContain(
            new ListenerOptions
            {
                Url = "https://*:8443",
                CertificateFile = Here,
                KeyFile = Here,
            }.Validate(),
            fault => fault.StartsWith("Listen:Url", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Bounds_are_checked() =>
        Assert.Equal(
            2,
            new ListenerOptions
            {
                Url = "http://localhost:1",
                MaxConnections = 0,
                MaxRequests = 200_000,
            }
                .Validate()
                .Count()
        );

    private static string Here => typeof(ListenerOptionsTests).Assembly.Location;
}
