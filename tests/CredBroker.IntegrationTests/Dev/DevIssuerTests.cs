using System.IdentityModel.Tokens.Jwt;
using System.Net;
using System.Text.Json.Nodes;
using CredBroker.Dev;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;

namespace CredBroker.IntegrationTests.Dev;

public sealed class DevIssuerTests : IAsyncLifetime
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private DevIssuer _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await DevIssuer.StartAsync(0, TimeProvider.System, TestContext.Current.CancellationToken);
        _http.BaseAddress = _issuer.Address;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task An_independent_validator_accepts_its_token_by_discovery_and_keys()
    {
        var discovery = JsonNode.Parse(await _http.GetStringAsync("/.well-known/openid-configuration"))!;
        var keys = new JsonWebKeySet(await _http.GetStringAsync(discovery["jwks_uri"]!.ToString()));
        var (_, reply) = await AskAsync(
            ("grant_type", "client_credentials"),
            ("agent", "triage"),
            ("instance", "triage-7")
        );

        new JwtSecurityTokenHandler { MapInboundClaims = false }.ValidateToken(
            reply["access_token"]!.ToString(),
            new TokenValidationParameters
            {
                ValidIssuer = discovery["issuer"]!.ToString(),
                ValidAudience = DevIssuer.AgentAudience,
                IssuerSigningKeys = keys.GetSigningKeys(),
                ValidAlgorithms = ["ES256"],
            },
            out var token
        );

        var claims = ((JwtSecurityToken)token).Payload;
        Assert.Equal(
            ("triage", "triage-7", "triage/triage-7"),
            ((string)claims["workload"], (string)claims["instance"], claims.Sub)
        );
        Assert.Equal(_issuer.Issuer, claims.Iss);
    }

    [Fact]
    public async Task A_persons_token_has_another_audience_and_the_persons_role()
    {
        var (_, reply) = await AskAsync(
            ("grant_type", "client_credentials"),
            ("person", "auditor"),
            ("expires_in", "60")
        );

        var claims = new JwtSecurityToken(reply["access_token"]!.ToString());
        Assert.Equal([DevIssuer.PeopleAudience], claims.Audiences);
        Assert.Equal("auditor", Assert.Single(claims.Claims, claim => claim.Type == "roles").Value);
        Assert.Equal(TimeSpan.FromSeconds(60), claims.ValidTo - claims.IssuedAt);
    }

    [Fact]
    public async Task A_token_ends_within_an_hour_by_the_issuers_clock()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        await using var other = await DevIssuer.StartAsync(0, time, TestContext.Current.CancellationToken);

        var token = new JwtSecurityToken(other.MintForAgent("triage", "triage-1", TimeSpan.FromDays(1)));

        Assert.Equal(time.GetUtcNow().AddHours(1).UtcDateTime, token.ValidTo);
    }

    [Theory]
    [InlineData("grant_type=password&agent=triage", "unsupported_grant_type")]
    [InlineData("agent=triage", "unsupported_grant_type")]
    [InlineData("grant_type=client_credentials", "invalid_client")]
    [InlineData("grant_type=client_credentials&agent=a/b", "invalid_client")]
    [InlineData("grant_type=client_credentials&agent=triage&instance=../x", "invalid_client")]
    [InlineData("grant_type=client_credentials&agent=triage&person=admin", "invalid_client")]
    [InlineData("grant_type=client_credentials&person=root", "invalid_client")]
    [InlineData("grant_type=client_credentials&agent=triage&expires_in=0", "invalid_request")]
    [InlineData("grant_type=client_credentials&agent=triage&expires_in=99999", "invalid_request")]
    public async Task What_it_does_not_understand_is_refused_in_the_OAuth_form(string form, string error)
    {
        var (status, reply) = await AskAsync([
            .. form.Split('&').Select(part => part.Split('=')).Select(part => (part[0], part[1])),
        ]);

        Assert.Equal((HttpStatusCode.BadRequest, error), (status, reply["error"]!.ToString()));
    }

    [Fact]
    public async Task It_answers_on_loopback_names_only()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/jwks") { Headers = { Host = "evil.example" } };

        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await _http.SendAsync(request)).StatusCode);
    }

    private async Task<(HttpStatusCode Status, JsonNode Reply)> AskAsync(params (string Name, string Value)[] form)
    {
        using var response = await _http.PostAsync(
            "/token",
            new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)))
        );
        Assert.True(response.Headers.CacheControl?.NoStore);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
