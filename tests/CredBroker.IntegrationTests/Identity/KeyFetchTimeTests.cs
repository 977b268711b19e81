using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Keys;
using CredBroker.Testing.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>When an issuer is asked for its keys, how often, and what holds meanwhile.</summary>
public sealed class KeyFetchTimeTests : KeyFetchTestBase
{
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
}
