using System.IO.Compression;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CredBroker.Core.Identity;
using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Server.Identity;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>
/// Discovery and JWKS over HTTP, from a real server that behaves well and badly, by a verifier as the host builds it.
/// </summary>
public sealed class KeyFetchTests : IAsyncLifetime
{
    private FakeTimeProvider _time = new(TestToken.Now);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cb-fetch-");
    private IssuerServer _server = null!;
    private ServiceProvider? _services;

    public async ValueTask InitializeAsync()
    {
        _server = await IssuerServer.StartAsync();
        _server.Serve(IssuerServer.JwksPath, TestKey.Jwks(TestKey.Ec.Jwk()));
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Keys_are_discovered_once_and_then_at_hand()
    {
        var verifier = Verifier();
        for (var i = 0; i < 20; i++)
        {
            await AcceptAsync(verifier, Token(jti: i));
        }

        Assert.Equal([IssuerServer.DiscoveryPath, IssuerServer.JwksPath], _server.Requests.Select(r => r.Path));
    }

    [Fact]
    public async Task A_flood_of_unknown_kids_asks_the_issuer_once_per_cool_down()
    {
        var verifier = Verifier();
        await AcceptAsync(verifier, Token());
        _time.Advance(TimeSpan.FromSeconds(30));
        for (var round = 1; round <= 3; round++)
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, 200)
                    .Select(i =>
                        RefuseAsync(verifier, RefusalCode.KeyUnknown, Token(TestKey.Ec.As($"attack-{round}-{i}")))
                            .AsTask()
                    )
            );
            Assert.Equal(1 + round, _server.Count(IssuerServer.JwksPath));
            _time.Advance(TimeSpan.FromSeconds(30));
        }
    }

    [Fact]
    public async Task Tokens_that_are_refused_anyway_never_make_the_issuer_be_asked()
    {
        var verifier = Verifier();
        await AcceptAsync(verifier, Token());
        _time.Advance(TimeSpan.FromMinutes(1));
        var other = _server.Address;
        await RefuseAsync(
            verifier,
            RefusalCode.AudienceNotAccepted,
            TestToken.Oidc(TestKey.Ec.As("x"), p => (p["iss"], p["aud"]) = (other, "other"))
        );
        await RefuseAsync(
            verifier,
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Ec.As("x"), p => (p["iss"], p["exp"]) = (other, 1))
        );
        await RefuseAsync(
            verifier,
            RefusalCode.AlgorithmNotAccepted,
            TestToken.Oidc(TestKey.Ec.As("x"), p => p["iss"] = other, h => h["alg"] = "HS256")
        );
        Assert.Equal(1, _server.Count(IssuerServer.JwksPath));
    }

    [Fact]
    public async Task Keycloaks_rotation_is_followed_at_the_first_token_that_needs_it()
    {
        _time = new FakeTimeProvider(Vector.KeycloakTime);
        _server.Serve(IssuerServer.JwksPath, File.ReadAllText(Vector.Path("keycloak/jwks.json")));
        var verifier = Verifier(i =>
            (i.Issuer, i.WorkloadClaim, i.Jwks.Uri) = (
                Vector.KeycloakIssuer,
                "azp",
                _server.Address + IssuerServer.JwksPath
            )
        );
        await AcceptAsync(verifier, Vector.Token("keycloak/triage-agent.jwt"));
        await RefuseAsync(verifier, RefusalCode.KeyUnknown, Vector.Token("keycloak/after-rotation.jwt"));

        _server.Serve(IssuerServer.JwksPath, File.ReadAllText(Vector.Path("keycloak/jwks.rotating.json")));
        var refusal = await RefuseAsync(verifier, RefusalCode.KeyUnknown, Vector.Token("keycloak/after-rotation.jwt"));
        _time.Advance(refusal.RetryAfter!.Value);
        await AcceptAsync(verifier, Vector.Token("keycloak/after-rotation.jwt"));
        await AcceptAsync(verifier, Vector.Token("keycloak/triage-agent.jwt"));
        Assert.Equal(0, _server.Count(IssuerServer.DiscoveryPath));
    }

    [Fact]
    public async Task A_key_that_the_issuer_withdraws_is_refused_after_the_next_scheduled_read()
    {
        var verifier = Verifier();
        var token = TestToken.Oidc(
            TestKey.Ec,
            p => (p["iss"], p["exp"]) = (_server.Address, TestToken.Seconds(36_000))
        );
        await AcceptAsync(verifier, token);
        _server.Serve(IssuerServer.JwksPath, TestKey.Jwks(TestKey.Rsa.Jwk()));
        await Source.ReadAsync();
        await RefuseAsync(verifier, RefusalCode.KeyUnknown, token);
    }

    [Fact]
    public async Task While_the_issuer_is_down_its_last_keys_are_used_for_a_bounded_time()
    {
        var verifier = Verifier();
        var token = TestToken.Oidc(
            TestKey.Ec,
            p => (p["iss"], p["exp"]) = (_server.Address, TestToken.Seconds(360_000))
        );
        await AcceptAsync(verifier, token);
        _server.Serve(
            IssuerServer.JwksPath,
            http =>
            {
                http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return Task.CompletedTask;
            }
        );
        _time.Advance(TimeSpan.FromHours(24));
        await Source.ReadAsync();
        await AcceptAsync(verifier, token);
        _time.Advance(TimeSpan.FromSeconds(1));
        await RefuseAsync(verifier, RefusalCode.KeysUnavailable, token);
    }

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

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_is_replaced_under_the_same_kid_or_none_is_followed_at_the_first_token(bool named)
    {
        var (old, replaced) = (TestKey.New("k", "ES256"), TestKey.New("k", "ES256"));
        _server.Serve(IssuerServer.JwksPath, Jwks(old));
        var verifier = Verifier();
        await AcceptAsync(verifier, Signed(old, 0));
        _time.Advance(TimeSpan.FromSeconds(30));
        _server.Serve(IssuerServer.JwksPath, Jwks(replaced));
        await AcceptAsync(verifier, Signed(replaced, 1));
        await RefuseAsync(verifier, RefusalCode.SignatureInvalid, Signed(old, 2));

        string Jwks(TestKey key)
        {
            var jwk = key.Jwk();
            if (!named)
            {
                jwk.Remove("kid");
            }

            return TestKey.Jwks(jwk);
        }

        string Signed(TestKey key, int jti) =>
            TestToken.Oidc(
                key,
                p => (p["iss"], p["jti"], p["exp"]) = (_server.Address, $"{jti}", TestToken.Seconds(36_000)),
                h =>
                {
                    if (!named)
                    {
                        h.Remove("kid");
                    }
                }
            );
    }

    [Fact]
    public async Task A_flood_of_bad_signatures_asks_the_issuer_once_per_cool_down()
    {
        var verifier = Verifier();
        await AcceptAsync(verifier, Token());
        var forger = TestKey.New(TestKey.Ec.KeyId, "ES256");
        for (var round = 1; round <= 3; round++)
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            await Task.WhenAll(
                Enumerable
                    .Range(0, 200)
                    .Select(i => RefuseAsync(verifier, RefusalCode.SignatureInvalid, Token(forger, i)).AsTask())
            );
            Assert.Equal(1 + round, _server.Count(IssuerServer.JwksPath));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_issuer_that_does_not_finish_is_given_up_and_nobody_else_waits(bool afterTheFirstBytes)
    {
        var asked = new TaskCompletionSource();
        _server.Serve(
            IssuerServer.JwksPath,
            async http =>
            {
                if (afterTheFirstBytes)
                {
                    await http.Response.WriteAsync("{\"keys\":[");
                }

                await http.Response.Body.FlushAsync();
                asked.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, http.RequestAborted)
                    .ContinueWith(_ => { }, TaskScheduler.Default);
            }
        );
        var verifier = Verifier();
        var waiting = VerifyAsync(verifier, Token()).AsTask();
        await asked.Task;
        _time.Advance(KeySource.MaxWait);
        Assert.Equal(
            RefusalCode.KeysUnavailable,
            Assert.IsType<VerificationOutcome.Refused>(await waiting).Refusal.Code
        );

        _time.Advance(TimeSpan.FromSeconds(10));
        _server.Serve(IssuerServer.JwksPath, TestKey.Jwks(TestKey.Ec.Jwk()));
        await Source.ReadAsync(); // possibly still the one that is being given up
        await Source.ReadAsync();
        await AcceptAsync(verifier, Token());
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

    private KeySource Source => _services!.GetRequiredService<KeySources>().All[0];

    private IWorkloadVerifier Verifier(Action<IssuerOptions>? change = null, bool devMode = true)
    {
        var issuer = new IssuerOptions { Issuer = _server.Address };
        change?.Invoke(issuer);
        var collection = new ServiceCollection().AddSingleton<TimeProvider>(_time).AddLogging();
        _services = collection
            .AddCredBrokerIdentity(new IdentityOptions { Audience = "credbroker", Issuers = [issuer] }, devMode)
            .BuildServiceProvider();
        return _services.GetRequiredService<IWorkloadVerifier>();
    }

    private string Token(TestKey? key = null, int jti = 0) =>
        TestToken.Oidc(
            key ?? TestKey.Ec,
            p => (p["iss"], p["jti"], p["exp"]) = (_server.Address, $"{jti}", TestToken.Seconds(36_000))
        );

    private static ValueTask<VerificationOutcome> VerifyAsync(IWorkloadVerifier verifier, string token) =>
        verifier.VerifyAsync(new IdentityProof.Bearer(new SecretText(token)), TestContext.Current.CancellationToken);

    private static async ValueTask AcceptAsync(IWorkloadVerifier verifier, string token)
    {
        var outcome = await VerifyAsync(verifier, token);
        Assert.True(outcome is VerificationOutcome.Verified, outcome.ToString());
    }

    private static async ValueTask<Refusal> RefuseAsync(IWorkloadVerifier verifier, RefusalCode code, string token)
    {
        var refusal = Assert.IsType<VerificationOutcome.Refused>(await VerifyAsync(verifier, token)).Refusal;
        Assert.Equal(code, refusal.Code);
        return refusal;
    }

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
