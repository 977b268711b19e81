using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Server.Identity;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>
/// Tokens of a certified OpenID provider (npm <c>oidc-provider</c>), fetched as an agent would and verified over its
/// own discovery.
/// </summary>
public sealed class OidcProviderTests : IAsyncLifetime
{
    private const string ClientSecret = "a-secret-of-this-test-alone";

    private OidcProcess? _provider;
    private string _issuer = "";

    public async ValueTask InitializeAsync()
    {
        _provider = await OidcProcess.StartAsync(
            "provider.js",
            new Dictionary<string, string> { ["CLIENT_SECRET"] = ClientSecret }
        );
        _issuer = _provider.Issuer;
    }

    public async ValueTask DisposeAsync()
    {
        if (_provider is not null)
        {
            await _provider.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("ES256")]
    [InlineData("RS256")]
    public async Task A_client_credentials_token_is_accepted(string algorithm)
    {
        var identity = Assert
            .IsType<VerificationOutcome.Verified>(
                await VerifyAsync(await FetchTokenAsync($"urn:credbroker:{algorithm}"))
            )
            .Identity;
        Assert.Equal((_issuer, "triage-agent", "triage-agent"), (identity.Issuer, identity.Subject, identity.Workload));
        Assert.Equal("triage-agent", identity.Claims["client_id"].GetString());
    }

    [Theory]
    [InlineData("urn:elsewhere:ES256", RefusalCode.AudienceNotAccepted)]
    [InlineData("urn:credbroker:EdDSA", RefusalCode.AlgorithmNotAccepted)]
    public async Task A_token_for_another_audience_or_with_another_algorithm_is_refused(
        string resource,
        RefusalCode code
    )
    {
        Assert.Equal(
            code,
            Assert.IsType<VerificationOutcome.Refused>(await VerifyAsync(await FetchTokenAsync(resource))).Refusal.Code
        );
    }

    private async Task<VerificationOutcome> VerifyAsync(string token)
    {
        var options = new IdentityOptions
        {
            Audience = "credbroker",
            Issuers =
            [
                new()
                {
                    Issuer = _issuer,
                    WorkloadClaim = "client_id",
                    Claims = ["client_id"],
                },
            ],
        };
        await using var services = new ServiceCollection()
            // The token's own time, at which no timeout passes, however slow the machine.
            .AddSingleton<TimeProvider>(new FakeTimeProvider(TimeProvider.System.GetUtcNow()))
            .AddLogging()
            .AddCredBrokerIdentity(options, devMode: true)
            .BuildServiceProvider();
        // as the host does at start
        await services.GetRequiredService<KeySources>().All[0].ReadAsync();
        return await services
            .GetRequiredService<IWorkloadVerifier>()
            .VerifyAsync(new IdentityProof.Bearer(new SecretText(token)), TestContext.Current.CancellationToken);
    }

    private async Task<string> FetchTokenAsync(string resource)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.ASCII.GetBytes($"triage-agent:{ClientSecret}"))
        );
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["resource"] = resource }
        );
        using var response = await client.PostAsync($"{_issuer}/token", form, TestContext.Current.CancellationToken);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, answer.ToString());
        return answer.GetProperty("access_token").GetString()!;
    }
}
