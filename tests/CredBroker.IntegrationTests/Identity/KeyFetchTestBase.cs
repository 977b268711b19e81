using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Server.Identity;
using CredBroker.Server.Identity.Keys;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CredBroker.IntegrationTests.Identity;

/// <summary>
/// Discovery and JWKS over HTTP, from a real server that behaves well and badly, by a verifier as the host builds it.
/// </summary>
public abstract class KeyFetchTestBase : IAsyncLifetime
{
    private protected FakeTimeProvider _time = new(TestToken.Now);
    private protected readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cb-fetch-");
    private protected IssuerServer _server = null!;
    private protected ServiceProvider? _services;

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
        GC.SuppressFinalize(this);
    }

    private protected KeySource Source => _services!.GetRequiredService<KeySources>().All[0];

    private protected IWorkloadVerifier Verifier(Action<IssuerOptions>? change = null, bool devMode = true)
    {
        var issuer = new IssuerOptions { Issuer = _server.Address };
        change?.Invoke(issuer);
        var collection = new ServiceCollection().AddSingleton<TimeProvider>(_time).AddLogging();
        _services = collection
            .AddCredBrokerIdentity(new IdentityOptions { Audience = "credbroker", Issuers = [issuer] }, devMode)
            .BuildServiceProvider();
        return _services.GetRequiredService<IWorkloadVerifier>();
    }

    private protected string Token(TestKey? key = null, int jti = 0) =>
        TestToken.Oidc(
            key ?? TestKey.Ec,
            p => (p["iss"], p["jti"], p["exp"]) = (_server.Address, $"{jti}", TestToken.Seconds(36_000))
        );

    private protected static ValueTask<VerificationOutcome> VerifyAsync(IWorkloadVerifier verifier, string token) =>
        verifier.VerifyAsync(new IdentityProof.Bearer(new SecretText(token)), TestContext.Current.CancellationToken);

    private protected static async ValueTask AcceptAsync(IWorkloadVerifier verifier, string token)
    {
        var outcome = await VerifyAsync(verifier, token);
        Assert.True(outcome is VerificationOutcome.Verified, outcome.ToString());
    }

    private protected static async ValueTask<Refusal> RefuseAsync(
        IWorkloadVerifier verifier,
        RefusalCode code,
        string token
    )
    {
        var refusal = Assert.IsType<VerificationOutcome.Refused>(await VerifyAsync(verifier, token)).Refusal;
        Assert.Equal(code, refusal.Code);
        return refusal;
    }
}
