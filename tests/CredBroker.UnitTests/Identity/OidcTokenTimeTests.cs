using CredBroker.Core.Requests;
using CredBroker.Testing.Identity;

namespace CredBroker.UnitTests.Identity;

/// <summary>When an OIDC workload token is accepted, and how long it may live.</summary>
public sealed class OidcTokenTimeTests : OidcTokenTestBase
{
    [Fact]
    public async Task A_token_without_an_end_is_refused() =>
        await _fixture.RefuseAsync(RefusalCode.TokenExpired, TestToken.Oidc(TestKey.Rsa, p => p.Remove("exp")));

    [Theory]
    [InlineData("exp", -29, true)]
    [InlineData("exp", -30, false)]
    [InlineData("nbf", 30, true)]
    [InlineData("nbf", 31, false)]
    [InlineData("nbf", 1_000_000_000, false)]
    [InlineData("iat", 30, true)]
    [InlineData("iat", 31, false)]
    public async Task Times_count_with_the_configured_skew(string claim, int fromNow, bool accepted)
    {
        var token = TestToken.Oidc(TestKey.Rsa, p => p[claim] = TestToken.Seconds(fromNow));
        if (accepted)
        {
            await _fixture.AcceptAsync(token);
        }
        else
        {
            await _fixture.RefuseAsync(claim == "exp" ? RefusalCode.TokenExpired : RefusalCode.TokenNotYetValid, token);
        }
    }

    [Fact]
    public async Task The_skew_is_a_setting()
    {
        _issuer.ClockSkew = TimeSpan.Zero;
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p["exp"] = TestToken.Seconds(1)));
        await _fixture.RefuseAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => p["exp"] = TestToken.Seconds(0))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenNotYetValid,
            TestToken.Oidc(TestKey.Rsa, p => p["nbf"] = TestToken.Seconds(1))
        );
    }

    [Theory]
    [InlineData("exp", "\"1900000000\"")]
    [InlineData("exp", "null")]
    [InlineData("exp", "true")]
    [InlineData("exp", "[1900000000]")]
    [InlineData("exp", "-1")]
    [InlineData("exp", "1e999")]
    [InlineData("exp", "253402300800")]
    [InlineData("exp", "9223372036854775807")]
    [InlineData("exp", "99999999999999999999999999")]
    [InlineData("nbf", "\"0\"")]
    [InlineData("iat", "{}")]
    public async Task A_time_that_is_no_sensible_number_is_refused(string claim, string value) =>
        await _fixture.RefuseAsync(
            RefusalCode.TokenMalformed,
            TestToken.Raw(TestKey.Rsa, Claims(claim, $$"""{"{{claim}}":{{value}}}"""))
        );

    [Theory]
    [InlineData("1800014400.5")]
    [InlineData("1.8000144e9")]
    [InlineData("1800014400.999999")]
    [InlineData("253402300799")]
    public async Task A_time_may_have_a_fraction_or_an_exponent(string value) =>
        await _fixture.AcceptAsync(TestToken.Raw(TestKey.Rsa, Claims("exp", $$"""{"exp":{{value}}}""")));

    [Fact]
    public async Task A_token_that_lives_longer_than_the_settings_accept_is_refused()
    {
        _issuer.MaxTokenLifetime = TimeSpan.FromMinutes(10);
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa));
        await _fixture.RefuseAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => p["exp"] = TestToken.Seconds(601))
        );
        await _fixture.RefuseAsync(
            RefusalCode.TokenExpired,
            TestToken.Oidc(TestKey.Rsa, p => p["iat"] = TestToken.Seconds(-1))
        );
        await _fixture.AcceptAsync(TestToken.Oidc(TestKey.Rsa, p => p.Remove("iat")));
    }
}
