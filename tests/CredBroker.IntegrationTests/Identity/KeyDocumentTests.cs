using System.IO.Compression;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Testing.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>Which documents of an issuer are read, over which connection, and with whose bearer token.</summary>
public sealed class KeyDocumentTests : KeyFetchTestBase
{
    public static TheoryData<string> BadDiscoveries =>
        [
            """{"issuer":"https://other.example","jwks_uri":"SERVER/jwks"}""",
            """{"issuer":"SERVER/","jwks_uri":"SERVER/jwks"}""",
            """{"jwks_uri":"SERVER/jwks"}""",
            """{"issuer":["SERVER"],"jwks_uri":"SERVER/jwks"}""",
            """{"issuer":"SERVER","issuer":"SERVER","jwks_uri":"SERVER/jwks"}""",
            """{"issuer":"SERVER"}""",
            """{"issuer":"SERVER","jwks_uri":"/jwks"}""",
            """{"issuer":"SERVER","jwks_uri":"http://198.51.100.1/jwks"}""",
            """{"issuer":"SERVER","jwks_uri":"file:///etc/passwd"}""",
            """{"issuer":"SERVER","jwks_uri":7}""",
            "<html></html>",
            "",
        ];

    [Theory]
    [MemberData(nameof(BadDiscoveries))]
    public async Task A_discovery_document_that_is_not_the_issuers_own_is_not_followed(string document)
    {
        _server.Serve(
            IssuerServer.DiscoveryPath,
            document.Replace("SERVER", _server.Address, StringComparison.Ordinal)
        );
        await RefuseAsync(Verifier(), RefusalCode.KeysUnavailable, Token());
        Assert.Equal(0, _server.Count(IssuerServer.JwksPath));
    }

    [Theory]
    [InlineData(IssuerServer.DiscoveryPath)]
    [InlineData(IssuerServer.JwksPath)]
    public async Task Redirects_are_not_followed(string path)
    {
        _server.Serve("/elsewhere", TestKey.Jwks(TestKey.Ec.Jwk()));
        _server.Serve(
            path,
            http =>
            {
                http.Response.Redirect($"{_server.Address}/elsewhere");
                return Task.CompletedTask;
            }
        );
        await RefuseAsync(Verifier(), RefusalCode.KeysUnavailable, Token());
        Assert.Equal(0, _server.Count("/elsewhere"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_document_beyond_the_size_cap_is_given_up(bool announced)
    {
        var jwks = TestKey.Jwks(TestKey.Ec.Jwk());
        _server.Serve(
            IssuerServer.JwksPath,
            async http =>
            {
                string padding = new(' ', JsonWebKeys.MaxBytes);
                if (announced)
                {
                    http.Response.ContentLength = jwks.Length + padding.Length;
                }

                await http.Response.WriteAsync(jwks);
                await http.Response.WriteAsync(padding);
            }
        );
        await RefuseAsync(Verifier(), RefusalCode.KeysUnavailable, Token());
    }

    [Fact]
    public async Task Compressed_documents_are_read()
    {
        ServeCompressed(
            IssuerServer.DiscoveryPath,
            $$"""{"issuer":"{{_server.Address}}","jwks_uri":"{{_server.Address}}{{IssuerServer.JwksPath}}"}"""
        );
        ServeCompressed(IssuerServer.JwksPath, TestKey.Jwks(TestKey.Ec.Jwk()));
        await AcceptAsync(Verifier(), Token());
    }

    [Fact]
    public async Task A_compressed_document_that_unpacks_beyond_the_size_cap_is_given_up()
    {
        var document = TestKey.Jwks(TestKey.Ec.Jwk()) + new string(' ', 64 * 1024 * 1024);
        ServeCompressed(IssuerServer.JwksPath, document);
        await RefuseAsync(Verifier(), RefusalCode.KeysUnavailable, Token());
        Assert.Equal(1, _server.Count(IssuerServer.JwksPath));
    }

    [Fact]
    public async Task Documents_that_begin_with_a_byte_order_mark_are_read()
    {
        _server.Serve(
            IssuerServer.DiscoveryPath,
            $$"""{{Mark}}{"issuer":"{{_server.Address}}","jwks_uri":"{{_server.Address}}{{IssuerServer.JwksPath}}"}"""
        );
        _server.Serve(IssuerServer.JwksPath, Mark + TestKey.Jwks(TestKey.Ec.Jwk()));
        await AcceptAsync(Verifier(), Token());
    }

    [Fact]
    public async Task The_bearer_token_is_read_at_each_fetch_and_sent_to_its_own_server_only()
    {
        await using var other = await IssuerServer.StartAsync();
        other.Serve(IssuerServer.JwksPath, TestKey.Jwks(TestKey.Ec.Jwk()));
        var file = Write("token", "first\n");
        var verifier = Verifier(i => i.Jwks.TokenFile = file);
        await AcceptAsync(verifier, Token());
        Assert.Equal(["Bearer first", "Bearer first"], _server.Requests.Select(r => r.Authorization));

        Write("token", "second");
        _server.Serve(
            IssuerServer.DiscoveryPath,
            $$"""{"issuer":"{{_server.Address}}","jwks_uri":"{{other.Address}}{{IssuerServer.JwksPath}}"}"""
        );
        await Source.ReadAsync();
        Assert.Equal("Bearer second", _server.Requests.Last().Authorization);
        Assert.Equal("", Assert.Single(other.Requests).Authorization);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("two\nlines")]
    public async Task A_file_that_holds_no_bearer_token_is_not_sent(string content)
    {
        var file = Write("token", content);
        await RefuseAsync(Verifier(i => i.Jwks.TokenFile = file), RefusalCode.KeysUnavailable, Token());
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public async Task Over_https_only_a_certificate_of_the_configured_authority_counts()
    {
        using var authority = Authority("CN=ours");
        using var stranger = Authority("CN=stranger");
        using var certificate = ServerCertificate(authority);
        await using var https = await IssuerServer.StartAsync(certificate);
        https.Serve(IssuerServer.JwksPath, TestKey.Jwks(TestKey.Ec.Jwk()));
        var token = TestToken.Oidc(TestKey.Ec, p => p["iss"] = https.Address);

        await AcceptAsync(
            Verifier(
                i => (i.Issuer, i.Jwks.CaFile) = (https.Address, Write("ca.pem", authority.ExportCertificatePem())),
                devMode: false
            ),
            token
        );
        await RefuseAsync(
            Verifier(
                i =>
                    (i.Issuer, i.Jwks.CaFile) = (https.Address, Write("stranger.pem", stranger.ExportCertificatePem())),
                devMode: false
            ),
            RefusalCode.KeysUnavailable,
            token
        );
        await RefuseAsync(
            Verifier(i => (i.Issuer, i.Jwks.CaFile) = (https.Address, Write("empty.pem", "")), devMode: false),
            RefusalCode.KeysUnavailable,
            token
        );
        await RefuseAsync(Verifier(i => i.Issuer = https.Address, devMode: false), RefusalCode.KeysUnavailable, token);
    }

    [Fact]
    public async Task Outside_dev_mode_an_https_issuer_cannot_send_us_to_plain_http()
    {
        using var authority = Authority("CN=ours");
        using var certificate = ServerCertificate(authority);
        await using var https = await IssuerServer.StartAsync(certificate);
        https.Serve(
            IssuerServer.DiscoveryPath,
            $$"""{"issuer":"{{https.Address}}","jwks_uri":"{{_server.Address}}{{IssuerServer.JwksPath}}"}"""
        );
        var verifier = Verifier(
            i => (i.Issuer, i.Jwks.CaFile) = (https.Address, Write("ca.pem", authority.ExportCertificatePem())),
            devMode: false
        );
        await RefuseAsync(
            verifier,
            RefusalCode.KeysUnavailable,
            TestToken.Oidc(TestKey.Ec, p => p["iss"] = https.Address)
        );
        Assert.Empty(_server.Requests);
    }

    private const string Mark = "\uFEFF";

    private void ServeCompressed(string path, string document) =>
        _server.Serve(
            path,
            async http =>
            {
                http.Response.Headers.ContentEncoding = "gzip";
                await using var gzip = new GZipStream(http.Response.Body, CompressionLevel.Fastest);
                await gzip.WriteAsync(System.Text.Encoding.UTF8.GetBytes(document), http.RequestAborted);
            }
        );

    private string Write(string name, string content)
    {
        var path = Path.Combine(_directory.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }

    private static X509Certificate2 Authority(string name)
    {
        var request = new CertificateRequest(
            name,
            ECDsa.Create(ECCurve.NamedCurves.nistP256),
            HashAlgorithmName.SHA256
        );
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddHours(-1),
            TimeProvider.System.GetUtcNow().AddHours(1)
        );
    }

    private static X509Certificate2 ServerCertificate(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=issuer", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.Create(
            authority,
            authority.NotBefore,
            authority.NotAfter,
            RandomNumberGenerator.GetBytes(8)
        );
        return bare.CopyWithPrivateKey(key);
    }
}
