using CredBroker.Core.Identity.Verification;
using CredBroker.Core.Requests;
using CredBroker.Server.Identity.Settings;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>What is remembered of tokens that verified, and when it no longer counts.</summary>
public sealed class VerifiedTokensTests : IDisposable
{
    private readonly IdentityFixture _fixture = new(TestToken.Now);
    private readonly IssuerOptions _issuer;

    public VerifiedTokensTests()
    {
        _issuer = new IssuerOptions
        {
            Issuer = TestToken.Issuer,
            Jwks = new() { File = Keys(TestKey.Rsa, TestKey.Ec) },
            ClockSkew = TimeSpan.Zero,
        };
        _fixture.With(_issuer);
    }

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_token_that_comes_back_is_the_same_identity_without_another_check()
    {
        var token = TestToken.Oidc(TestKey.Rsa);
        Assert.Same(await _fixture.AcceptAsync(token), await _fixture.AcceptAsync(token));
    }

    [Fact]
    public async Task A_remembered_token_ends_when_it_expires()
    {
        var token = TestToken.Oidc(TestKey.Rsa);
        await _fixture.AcceptAsync(token);
        _fixture.Time.Advance(TimeSpan.FromSeconds(599));
        await _fixture.AcceptAsync(token);
        _fixture.Time.Advance(TimeSpan.FromSeconds(1));
        await _fixture.RefuseAsync(RefusalCode.TokenExpired, token);
    }

    [Fact]
    public async Task A_remembered_token_counts_no_more_once_its_key_is_withdrawn()
    {
        var token = TestToken.Oidc(TestKey.Rsa);
        await _fixture.AcceptAsync(token);
        Keys(TestKey.Ec);
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.RefuseAsync(RefusalCode.KeyUnknown, token);
    }

    [Fact]
    public async Task A_remembered_token_is_checked_again_under_other_keys_of_the_same_name()
    {
        var token = TestToken.Oidc(TestKey.Rsa);
        await _fixture.AcceptAsync(token);
        Keys(TestKey.OtherRsa.As("rsa-1"));
        await _fixture.Sources.All[0].ReadAsync();
        await _fixture.RefuseAsync(RefusalCode.SignatureInvalid, token);
    }

    [Fact]
    public async Task What_was_verified_before_everything_was_forgotten_is_checked_anew()
    {
        var token = TestToken.Oidc(TestKey.Rsa);
        var known = await _fixture.AcceptAsync(token);
        _fixture.Memory.Forget();
        var again = await _fixture.AcceptAsync(token);
        Assert.NotSame(known, again);
        Assert.Same(again, await _fixture.AcceptAsync(token));
    }

    [Fact]
    public async Task Nor_is_one_remembered_whose_check_began_before_that()
    {
        var remembered = new VerifiedTokens<string>(capacity: 8, _fixture.Memory);
        var source = _fixture.Sources.All[0];
        await source.ReadAsync();
        var window = new TokenWindow(TestToken.Now, TestToken.Now.AddMinutes(1));
        var round = remembered.Round;
        _fixture.Memory.Forget();
        remembered.Remember("late", "outcome", window, source.Current!, source, round);
        Assert.Null(remembered.Find("late", _fixture.Time.GetUtcNow()));
    }

    [Fact]
    public async Task Nothing_but_the_very_token_is_remembered()
    {
        var token = TestToken.Oidc(TestKey.Rsa);
        await _fixture.AcceptAsync(token);
        await _fixture.RefuseAsync(token + "A");
        await _fixture.RefuseAsync(RefusalCode.TokenMalformed, token + "\ud800");
        await _fixture.RefuseAsync(RefusalCode.TokenMalformed, token + " ");
        await _fixture.RefuseAsync(RefusalCode.TokenTooLarge, token + new string('A', CompactJws.MaxLength));
    }

    [Fact]
    public async Task More_tokens_than_are_remembered_are_all_accepted()
    {
        var remembered = new VerifiedTokens<string>(capacity: 8, _fixture.Memory);
        var source = _fixture.Sources.All[0];
        await source.ReadAsync();
        var window = new TokenWindow(TestToken.Now, TestToken.Now.AddMinutes(1));
        for (var i = 0; i < 100; i++)
        {
            remembered.Remember($"t{i}", $"outcome {i}", window, source.Current!, source, remembered.Round);
            Assert.Equal($"outcome {i}", remembered.Find($"t{i}", _fixture.Time.GetUtcNow()));
        }

        Assert.InRange(
            Enumerable.Range(0, 100).Count(i => remembered.Find($"t{i}", _fixture.Time.GetUtcNow()) is not null),
            3,
            8
        );
    }

    [Fact]
    public async Task What_is_asked_for_stays()
    {
        var remembered = new VerifiedTokens<string>(capacity: 8, _fixture.Memory);
        var source = _fixture.Sources.All[0];
        await source.ReadAsync();
        var window = new TokenWindow(TestToken.Now, TestToken.Now.AddMinutes(1));
        remembered.Remember("regular", "here", window, source.Current!, source, remembered.Round);
        for (var i = 0; i < 100; i++)
        {
            remembered.Remember($"t{i}", "passing", window, source.Current!, source, remembered.Round);
            Assert.Equal("here", remembered.Find("regular", _fixture.Time.GetUtcNow()));
        }
    }

    private string Keys(params TestKey[] keys) => _fixture.Write("jwks.json", TestKey.Jwks(keys.Select(k => k.Jwk())));
}
