using CredBroker.Core;
using CredBroker.Core.Identity;
using CredBroker.Server.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>What is remembered of tokens that verified, and when it no longer counts.</summary>
public sealed class VerifiedTokensTests : IDisposable
{
    private readonly IdentityFixture fixture = new(TestToken.Now);
    private readonly IssuerOptions issuer;

    public VerifiedTokensTests()
    {
        issuer = new IssuerOptions { Issuer = TestToken.Issuer, Jwks = new() { File = Keys(TestKey.Rsa, TestKey.Ec) }, ClockSkew = TimeSpan.Zero };
        fixture.With(issuer);
    }

    public void Dispose() => fixture.Dispose();

    [Fact]
    public async Task A_token_that_comes_back_is_the_same_identity_without_another_check()
    {
        string token = TestToken.Oidc(TestKey.Rsa);
        Assert.Same(await fixture.AcceptAsync(token), await fixture.AcceptAsync(token));
    }

    [Fact]
    public async Task A_remembered_token_ends_when_it_expires()
    {
        string token = TestToken.Oidc(TestKey.Rsa);
        await fixture.AcceptAsync(token);
        fixture.Time.Advance(TimeSpan.FromSeconds(599));
        await fixture.AcceptAsync(token);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await fixture.RefuseAsync(RefusalCode.TokenExpired, token);
    }

    [Fact]
    public async Task A_remembered_token_counts_no_more_once_its_key_is_withdrawn()
    {
        string token = TestToken.Oidc(TestKey.Rsa);
        await fixture.AcceptAsync(token);
        Keys(TestKey.Ec);
        await fixture.Sources.All[0].ReadAsync();
        await fixture.RefuseAsync(RefusalCode.KeyUnknown, token);
    }

    [Fact]
    public async Task A_remembered_token_is_checked_again_under_other_keys_of_the_same_name()
    {
        string token = TestToken.Oidc(TestKey.Rsa);
        await fixture.AcceptAsync(token);
        Keys(TestKey.OtherRsa.As("rsa-1"));
        await fixture.Sources.All[0].ReadAsync();
        await fixture.RefuseAsync(RefusalCode.SignatureInvalid, token);
    }

    [Fact]
    public async Task Nothing_but_the_very_token_is_remembered()
    {
        string token = TestToken.Oidc(TestKey.Rsa);
        await fixture.AcceptAsync(token);
        await fixture.RefuseAsync(token + "A");
        await fixture.RefuseAsync(RefusalCode.TokenMalformed, token + "\ud800");
        await fixture.RefuseAsync(RefusalCode.TokenMalformed, token + " ");
        await fixture.RefuseAsync(RefusalCode.TokenTooLarge, token + new string('A', CompactJws.MaxLength));
    }

    [Fact]
    public async Task More_tokens_than_are_remembered_are_all_accepted()
    {
        var remembered = new VerifiedTokens<string>(capacity: 8, fixture.Time);
        var source = fixture.Sources.All[0];
        await source.ReadAsync();
        var window = new TokenWindow(TestToken.Now, TestToken.Now.AddMinutes(1));
        for (int i = 0; i < 100; i++)
        {
            remembered.Remember($"t{i}", $"outcome {i}", window, source.Current!, source);
            Assert.Equal($"outcome {i}", remembered.Find($"t{i}"));
        }

        Assert.InRange(Enumerable.Range(0, 100).Count(i => remembered.Find($"t{i}") is not null), 3, 8);
    }

    [Fact]
    public async Task What_is_asked_for_stays()
    {
        var remembered = new VerifiedTokens<string>(capacity: 8, fixture.Time);
        var source = fixture.Sources.All[0];
        await source.ReadAsync();
        var window = new TokenWindow(TestToken.Now, TestToken.Now.AddMinutes(1));
        remembered.Remember("regular", "here", window, source.Current!, source);
        for (int i = 0; i < 100; i++)
        {
            remembered.Remember($"t{i}", "passing", window, source.Current!, source);
            Assert.Equal("here", remembered.Find("regular"));
        }
    }

    private string Keys(params TestKey[] keys) => fixture.Write("jwks.json", TestKey.Jwks(keys.Select(k => k.Jwk())));
}
