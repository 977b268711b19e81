using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>
/// OIDC workload tokens, honest and hostile. Every hostile one differs from an accepted one in the one thing that its
/// test names.
/// </summary>
public abstract class OidcTokenTestBase : IDisposable
{
    private protected readonly IdentityFixture _fixture = new(TestToken.Now);
    private protected readonly IssuerOptions _issuer;

    private protected OidcTokenTestBase()
    {
        _issuer = new IssuerOptions
        {
            Issuer = TestToken.Issuer,
            Jwks = new() { File = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Rsa.Jwk(), TestKey.Ec.Jwk())) },
        };
        _fixture.With(_issuer);
    }

    public void Dispose()
    {
        _fixture.Dispose();
        GC.SuppressFinalize(this);
    }

    // The claims of an ordinary token with one of them replaced by the member of the given object, or left out.
    private protected static string Claims(string name, string replacement)
    {
        var claims = System.Text.Json.Nodes.JsonNode.Parse(TestToken.OidcClaims())!.AsObject();
        claims.Remove(name);
        var rest = claims.ToJsonString()[1..];
        return replacement == "{}" ? "{" + rest : replacement[..^1] + "," + rest;
    }
}
