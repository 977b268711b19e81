using System.Text.RegularExpressions;
using CredBroker.Core.Identity;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Identity;

public sealed partial class SpiffeIdTests
{
    [Theory]
    [InlineData("spiffe://agents.example", "agents.example", "")]
    [InlineData("spiffe://agents.example/agents/triage/7", "agents.example", "/agents/triage/7")]
    [InlineData("spiffe://a/b", "a", "/b")]
    [InlineData("spiffe://1.2.3.4/w", "1.2.3.4", "/w")]
    [InlineData("spiffe://a_b-c.d/W-x_y.z0", "a_b-c.d", "/W-x_y.z0")]
    [InlineData("spiffe://td/...", "td", "/...")]
    [InlineData("spiffe://td/.hidden", "td", "/.hidden")]
    public void A_SPIFFE_ID_is_its_trust_domain_and_its_path(string text, string trustDomain, string path)
    {
        Assert.True(SpiffeId.TryParse(text, out var id, out _));
        Assert.Equal((text, trustDomain, path), (id.Text, id.TrustDomain, id.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("spiffe:")]
    [InlineData("spiffe:/td/w")]
    [InlineData("spiffe://")]
    [InlineData("spiffe:///w")]
    [InlineData("https://td/w")]
    [InlineData("spiffe://td/w?x=1")]
    [InlineData("spiffe://td/w#f")]
    [InlineData("spiffe://td?x")]
    [InlineData("spiffe://td#f")]
    [InlineData("spiffe://user@td/w")]
    [InlineData("spiffe://user:pw@td/w")]
    [InlineData("spiffe://td:8443/w")]
    [InlineData("spiffe://[::1]/w")]
    [InlineData("spiffe://t%64/w")]
    [InlineData("spiffe://td/%77")]
    [InlineData("spiffe://td/w%2Fx")]
    [InlineData("spiffe://tränk/w")]
    [InlineData("spiffe://td/wörk")]
    [InlineData("spiffe://td/")]
    [InlineData("spiffe://td/w/")]
    [InlineData("spiffe://td//w")]
    [InlineData("spiffe://td/a//b")]
    [InlineData("spiffe://td/.")]
    [InlineData("spiffe://td/..")]
    [InlineData("spiffe://td/a/./b")]
    [InlineData("spiffe://td/a/../b")]
    [InlineData("spiffe://td/a b")]
    [InlineData("spiffe://td/a\\b")]
    [InlineData("spiffe://td/a:b")]
    [InlineData("spiffe://td/a@b")]
    [InlineData("spiffe://td/a\0")]
    [InlineData("spiffe://td/a\n")]
    [InlineData(" spiffe://td/a")]
    [InlineData("spiffe://td/a ")]
    [InlineData("SPIFFE://td/w")]
    [InlineData("Spiffe://td/w")]
    [InlineData("spiffe://TD/w")]
    [InlineData("spiffe://td.Example/w")]
    public void Anything_else_is_refused_and_nothing_is_normalised(string text)
    {
        Assert.False(SpiffeId.TryParse(text, out var id, out var fault));
        Assert.Null(id);
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void Paths_differ_by_case()
    {
        Assert.True(SpiffeId.TryParse("spiffe://td/Agent", out var upper, out _));
        Assert.True(SpiffeId.TryParse("spiffe://td/agent", out var lower, out _));
        Assert.NotEqual(upper, lower);
    }

    [Fact]
    public void A_trust_domain_has_up_to_255_bytes()
    {
        Assert.True(SpiffeId.TryParse($"spiffe://{new string('a', 255)}/w", out _, out _));
        Assert.False(SpiffeId.TryParse($"spiffe://{new string('a', 256)}/w", out _, out _));
    }

    [Fact]
    public void An_ID_of_2048_bytes_is_accepted_and_one_of_2049_refused()
    {
        var longest = "spiffe://td/" + new string('a', 2048 - "spiffe://td/".Length);
        Assert.True(SpiffeId.TryParse(longest, out _, out _));
        Assert.False(SpiffeId.TryParse(longest + "a", out _, out _));
    }

    [Property(MaxTest = 2000)]
    public Property Whatever_is_written_is_accepted_exactly_if_it_has_the_form_of_the_specification() =>
        Prop.ForAll(Likely.ToArbitrary(), text => SpiffeId.TryParse(text, out _, out _) == Form().IsMatch(text));

    [Property(MaxTest = 1000)]
    public bool What_is_read_is_what_was_written(string? text) =>
        !SpiffeId.TryParse(text ?? "", out var id, out _) || id.Text == text;

    private static Gen<string> Likely =>
        Gen.Elements(
                "spiffe://",
                "SPIFFE://",
                "spiffe:",
                "td",
                "TD",
                "a.b",
                "/",
                "/",
                "/w",
                "/.",
                "..",
                "%2e",
                "?q",
                "#f",
                ":1",
                "@",
                "é",
                "\0",
                " ",
                "W_-9",
                ""
            )
            .ListOf()
            .Select(parts => "spiffe://" + string.Concat(parts))
            .Where(t => t.Length < 2000);

    // An oracle of its own: the grammar as a regular expression, with the dot segments ruled out beside it.
    [GeneratedRegex(
        @"\Aspiffe://[a-z0-9._-]{1,255}(/(?!\.{1,2}(/|\z))[a-zA-Z0-9._-]+)*\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Form();
}
