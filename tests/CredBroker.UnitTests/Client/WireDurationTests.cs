using System.Text.RegularExpressions;
using CredBroker.Client;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace CredBroker.UnitTests.Client;

public sealed class WireDurationTests
{
    [Theory]
    [InlineData("1s", 1)]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("600s", 600)]
    [InlineData("2h", 7200)]
    [InlineData("99999999h", 99_999_999L * 3600)]
    public void A_whole_number_with_a_unit_is_read(string text, long seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), WireDuration.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("010m")]
    [InlineData("-5m")]
    [InlineData("+5m")]
    [InlineData(" 5m")]
    [InlineData("5m ")]
    [InlineData("5 m")]
    [InlineData("1.5h")]
    [InlineData("5M")]
    [InlineData("5d")]
    [InlineData("1h30m")]
    [InlineData("10")]
    [InlineData("PT10M")]
    [InlineData("٣m")]
    [InlineData("100000000s")]
    public void Any_other_form_is_refused(string text)
    {
        Assert.False(WireDuration.TryParse(text, out _));
        Assert.Throws<FormatException>(() => WireDuration.Parse(text));
    }

    [Theory]
    [InlineData(90, "90s")]
    [InlineData(60, "1m")]
    [InlineData(3600, "1h")]
    [InlineData(5400, "90m")]
    public void The_shortest_form_is_written(int seconds, string text) =>
        Assert.Equal(text, WireDuration.Format(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(0.5)]
    [InlineData(1.5)]
    [InlineData(100_000_001)]
    public void What_has_no_form_is_refused(double seconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => WireDuration.Format(TimeSpan.FromSeconds(seconds)));

    [Property]
    public Property What_is_written_is_read_back() =>
        Prop.ForAll(
            Gen.Choose(1, 99_999_999).ToArbitrary(),
            seconds =>
            {
                var duration = TimeSpan.FromSeconds(seconds);
                return WireDuration.Parse(WireDuration.Format(duration)) == duration;
            }
        );

    [Property(MaxTest = 1000)]
    public Property What_is_read_has_the_documented_form() =>
        Prop.ForAll(
            Gen.Elements("0123456789smhd -+.".ToCharArray())
                .ListOf()
                .Select(chars => new string([.. chars]))
                .ToArbitrary(),
            text =>
                WireDuration.TryParse(text, out _)
                == Regex.IsMatch(text, WireDuration.Pattern, RegexOptions.CultureInvariant)
        );
}
