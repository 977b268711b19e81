using CredBroker.Dev.Issuer;
using Microsoft.AspNetCore.Builder;

namespace CredBroker.Dev;

/// <summary>
/// An identity provider for development: OIDC discovery, keys, and a token endpoint that gives anybody on this machine
/// a token for any agent or dev person. Loopback only; its key is in memory and gone when it stops. Its tokens open
/// nothing but a broker in dev mode.
/// </summary>
public sealed class DevIssuer : IAsyncDisposable
{
    /// <summary>The audience of agents' tokens.</summary>
    public const string AgentAudience = "credbroker-dev";

    /// <summary>The audience of people's tokens.</summary>
    public const string PeopleAudience = "credbroker-dev-people";

    private const int MaxRequestBytes = 8 * 1024;

    private readonly WebApplication _application;
    private readonly DevTokenMint _mint;

    private DevIssuer(WebApplication application, DevTokenMint mint)
    {
        (_application, _mint) = (application, mint);
        Address = new Uri(application.Urls.Single());
        mint.Issuer = Address.GetLeftPart(UriPartial.Authority);
    }

    /// <summary>Where it listens, such as <c>http://127.0.0.1:41235</c>.</summary>
    public Uri Address { get; }

    /// <summary>The <c>iss</c> of its tokens.</summary>
    public string Issuer => _mint.Issuer;

    /// <summary>Starts one on a loopback port; 0 takes a free one.</summary>
    public static async Task<DevIssuer> StartAsync(int port, TimeProvider time, CancellationToken cancellationToken)
    {
        var mint = new DevTokenMint(time);
        var application = LoopbackServer.Create(port, MaxRequestBytes);
        application.Run(new DevIssuerHttp(mint).HandleAsync);
        await application.StartAsync(cancellationToken);
        return new DevIssuer(application, mint);
    }

    /// <summary>A token of one running instance of an agent.</summary>
    public string MintForAgent(string agent, string instance, TimeSpan life) => _mint.ForAgent(agent, instance, life);

    /// <summary>A token of one of <see cref="DevPerson.All"/>.</summary>
    public string MintForPerson(DevPerson person, TimeSpan life) => _mint.ForPerson(person, life);

    /// <summary>Stops listening and forgets the key.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _mint.Dispose();
    }
}
