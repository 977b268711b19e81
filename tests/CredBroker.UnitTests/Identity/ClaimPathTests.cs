using System.Text.Json;
using CredBroker.Core.Identity;

namespace CredBroker.UnitTests.Identity;

public sealed class ClaimPathTests
{
    private static readonly JsonElement Claims = JsonDocument
        .Parse(
            """
            {"azp":"triage","https://acme.example/role":"ops",
             "a/b":"slash","a~b":"tilde","n":42,"f":1.5,"yes":true,"empty":"","line":"a\nb","null":null,
             "kubernetes.io":{"namespace":"agents","pod":{"uid":"u-1"}},"roles":["a","","b","a",7,{},"c\u0001"]}
            """
        )
        .RootElement;

    [Theory]
    [InlineData("azp", "triage")]
    [InlineData("https://acme.example/role", "ops")]
    [InlineData("a/b", "slash")]
    [InlineData("/a~1b", "slash")]
    [InlineData("a~b", "tilde")]
    [InlineData("/a~0b", "tilde")]
    [InlineData("/kubernetes.io/pod/uid", "u-1")]
    [InlineData("n", "42")]
    [InlineData("yes", "true")]
    public void A_name_or_a_pointer_finds_a_claim(string path, string text)
    {
        Assert.True(ClaimPath.TryParse(path, out var parsed));
        Assert.True(parsed.TryFindText(Claims, out var found));
        Assert.Equal(text, found);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("/azp/deeper")]
    [InlineData("/kubernetes.io")]
    [InlineData("kubernetes.io/pod/uid")]
    [InlineData("/roles/0")]
    [InlineData("f")]
    [InlineData("empty")]
    [InlineData("line")]
    [InlineData("null")]
    public void What_is_no_printable_text_is_not_found(string path)
    {
        Assert.True(ClaimPath.TryParse(path, out var parsed));
        Assert.False(parsed.TryFindText(Claims, out _));
    }

    [Fact]
    public void A_list_gives_its_texts_once_each()
    {
        Assert.True(ClaimPath.TryParse("roles", out var path));
        Assert.Equal(["a", "b", "7"], path.FindTexts(Claims));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a//b")]
    [InlineData("/a/")]
    [InlineData("/a~2b")]
    [InlineData("/a~")]
    public void A_malformed_path_is_a_fault(string path) => Assert.False(ClaimPath.TryParse(path, out _));
}
