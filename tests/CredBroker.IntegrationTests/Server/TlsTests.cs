using System.Net;
using CredBroker.IntegrationTests.Fixtures;
using CredBroker.Server.Hosting;
using CredBroker.Testing.Processes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Server;

public sealed class TlsTests
{
    [Fact]
    public async Task The_listener_serves_tls_and_takes_up_a_renewed_certificate()
    {
        using var folder = new TemporaryFolder();
        var (certificate, key) = (folder.File("server.pem"), folder.File("server.key"));
        var first = TlsFiles.Write(certificate, key, "CN=first");
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var broker = await TestBroker.StartAsync(
            new Dictionary<string, string?>
            {
                ["Listen:Url"] = "https://127.0.0.1:0",
                ["Listen:CertificateFile"] = certificate,
                ["Listen:KeyFile"] = key,
            },
            replace: services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(time))
        );

        Assert.Equal(first, await SeenAsync(broker));

        var second = TlsFiles.Write(certificate, key, "CN=second");
        File.SetLastWriteTimeUtc(certificate, time.GetUtcNow().UtcDateTime.AddMinutes(1));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(second, await SeenAsync(broker));

        // A file that cannot be read does not take the listener down.
        await File.WriteAllTextAsync(certificate, "half a certifi");
        File.SetLastWriteTimeUtc(certificate, time.GetUtcNow().UtcDateTime.AddMinutes(2));
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(second, await SeenAsync(broker));
    }

    [Fact]
    public void A_certificate_that_cannot_be_used_is_a_fault_before_anything_listens()
    {
        using var folder = new TemporaryFolder();
        var options = new ListenerOptions
        {
            CertificateFile = folder.File("empty.pem"),
            KeyFile = folder.File("empty.key"),
        };
        Assert.Contains(
            options.Validate(),
            fault => fault.StartsWith("Listen:CertificateFile", StringComparison.Ordinal)
        );
    }

    private static async Task<string> SeenAsync(TestBroker broker)
    {
        var seen = "";
        using var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
        {
            seen = certificate!.Subject;
            return true;
        };
        using var http = new HttpClient(handler)
        {
            BaseAddress = broker.Http.BaseAddress,
            DefaultRequestVersion = HttpVersion.Version20,
        };
        using var response = await http.GetAsync(new Uri("/health/live", UriKind.Relative));
        await response.ReadAsync(HttpStatusCode.OK);
        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Contains(
            "max-age",
            response.Headers.GetValues("Strict-Transport-Security").Single(),
            StringComparison.Ordinal
        );
        return seen;
    }
}
