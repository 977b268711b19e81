using CredBroker.Core.Identity;
using CredBroker.Core.Requests;
using CredBroker.Core.Text;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>Which kinds of proof are taken: a bearer's, and no other yet.</summary>
public sealed class ProofMethodTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);

    public ProofMethodTests() =>
        _fixture.With(
            new IssuerOptions
            {
                Issuer = TestToken.Issuer,
                Jwks = new() { File = _fixture.Write("jwks.json", TestKey.Jwks(TestKey.Ec.Jwk())) },
            }
        );

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_key_bound_token_is_not_taken_for_a_bearers_even_where_it_would_pass_as_one()
    {
        var token = TestToken.Oidc(TestKey.Ec);
        await RefuseAsync(KeyBound(token));
        await _fixture.AcceptAsync(token);
        await RefuseAsync(KeyBound(token));
    }

    [Fact]
    public async Task A_bearer_whose_token_is_bound_to_a_key_is_refused_as_before() =>
        await _fixture.RefuseAsync(
            RefusalCode.ClaimForbidden,
            TestToken.Oidc(TestKey.Ec, claims => claims["cnf"] = new Dictionary<string, object> { ["jkt"] = "x" })
        );

    [Fact]
    public async Task A_certificate_is_not_taken_yet() =>
        await RefuseAsync(new IdentityProof.Certificate([new byte[] { 0x30, 0x00 }]));

    [Fact]
    public void A_proof_never_shows_its_secrets()
    {
        var text = KeyBound("the-token").ToString();
        Assert.DoesNotContain("the-token", text, StringComparison.Ordinal);
        Assert.DoesNotContain("the-possession", text, StringComparison.Ordinal);
    }

    private static IdentityProof.KeyBoundBearer KeyBound(string token) =>
        new(
            new SecretText(token),
            new SecretText("the-possession"),
            new ProvenRequest("POST", new Uri("https://broker.example/v1/credentials"))
        );

    private async Task RefuseAsync(IdentityProof proof)
    {
        var refusal = Assert.IsType<VerificationOutcome.Refused>(await _fixture.VerifyAsync(proof)).Refusal;
        Assert.Equal("CB1018", refusal.CodeText);
    }
}
