using CredBroker.Vault.Http;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Vault;

public sealed class VaultPathTests
{
    [Theory]
    [InlineData("secret")]
    [InlineData("payments/api-key")]
    [InlineData("a/b.c_d~e@f=g:h")]
    public void Plain_paths_are_safe(string path) => Assert.True(VaultPath.IsSafe(path));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("a/../sys/seal")]
    [InlineData("./a")]
    [InlineData("a?list=true")]
    [InlineData("a#b")]
    [InlineData("a%2f..")]
    [InlineData("a b")]
    [InlineData("a*")]
    [InlineData("+/b")]
    [InlineData("a\"b")]
    [InlineData("a\nb")]
    [InlineData("a\\b")]
    [InlineData("ä")]
    public void Whatever_a_URL_or_a_policy_would_read_otherwise_is_not(string? path) =>
        Assert.False(VaultPath.IsSafe(path));

    [Property(MaxTest = 500)]
    public void A_safe_path_stays_itself_in_a_URL(string? path)
    {
        if (VaultPath.IsSafe(path))
        {
            Assert.Equal("/v1/" + path, new Uri(new Uri("https://vault.example"), "/v1/" + path).AbsolutePath);
        }
    }
}
