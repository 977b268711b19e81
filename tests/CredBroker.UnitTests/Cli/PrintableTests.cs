using System.Globalization;
using CredBroker.Cli.Output;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Cli;

public sealed class PrintableTests
{
    [Theory]
    [InlineData("plain text, ünïcode 漢字 🦊 and [markup]")]
    [InlineData("")]
    public void What_is_harmless_stays_as_it_is(string text) => Assert.Equal(text, Printable.Text(text));

    [Theory]
    [InlineData("\u001b[2J", "\uFFFD[2J")]
    [InlineData("a\nb\tc\r", "a\uFFFDb\uFFFDc\uFFFD")]
    [InlineData("\u202Efdp.exe", "\uFFFDfdp.exe")]
    [InlineData("\u009b1m", "\uFFFD1m")]
    [InlineData("\u2028", "\uFFFD")]
    [InlineData("\U000E0041", "\uFFFD\uFFFD")]
    public void What_a_terminal_would_obey_is_replaced(string text, string shown) =>
        Assert.Equal(shown, Printable.Text(text));

    [Fact]
    public void Half_a_surrogate_pair_is_replaced() => Assert.Equal("a\uFFFDb\uFFFD", Printable.Text("a\uD800b\uDC00"));

    [Fact]
    public void Line_feeds_stay_where_they_are_wanted() => Assert.Equal("a\nb\uFFFD", Printable.Lines("a\nb\r"));

    [Property(MaxTest = 500)]
    public bool Nothing_a_terminal_would_obey_is_left(string? text) =>
        !Printable
            .Text(text ?? "")
            .EnumerateRunes()
            .Any(rune => Rune(rune) is UnicodeCategory.Control or UnicodeCategory.Format);

    private static UnicodeCategory Rune(System.Text.Rune rune) => System.Text.Rune.GetUnicodeCategory(rune);
}
