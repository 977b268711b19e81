using CredBroker.Core.Text;

namespace CredBroker.UnitTests.Text;

public sealed class VisibleTextTests
{
    [Theory]
    [InlineData("agent-1")]
    [InlineData("")]
    [InlineData("system:serviceaccount:agents:triage")]
    [InlineData("CN=Build Agent, O=Acme")]
    [InlineData("größe-日本-агент")]
    [InlineData("\U0001F916-robot")]
    [InlineData("e\u0301")]
    public void Text_that_shows_is_visible(string text) => Assert.True(VisibleText.IsIn(text));

    [Theory]
    [InlineData(0x0000)]
    [InlineData(0x0085)]
    [InlineData(0x00A0)]
    [InlineData(0x00AD)]
    [InlineData(0x034F)]
    [InlineData(0x061C)]
    [InlineData(0x115F)]
    [InlineData(0x1160)]
    [InlineData(0x17B4)]
    [InlineData(0x180B)]
    [InlineData(0x180E)]
    [InlineData(0x2003)]
    [InlineData(0x200B)]
    [InlineData(0x2028)]
    [InlineData(0x202E)]
    [InlineData(0x2060)]
    [InlineData(0x2065)]
    [InlineData(0x2800)]
    [InlineData(0x3000)]
    [InlineData(0x3164)]
    [InlineData(0xE000)]
    [InlineData(0xFE0F)]
    [InlineData(0xFEFF)]
    [InlineData(0xFFA0)]
    [InlineData(0xFFF0)]
    [InlineData(0x110BD)]
    [InlineData(0x13430)]
    [InlineData(0x16FE4)]
    [InlineData(0x1BCA0)]
    [InlineData(0x1D159)]
    [InlineData(0x1D173)]
    [InlineData(0xE0001)]
    [InlineData(0xE0020)]
    [InlineData(0xE0061)]
    [InlineData(0xE007F)]
    [InlineData(0xE0100)]
    [InlineData(0xE0FFF)]
    [InlineData(0xF0000)]
    [InlineData(0x10FFFD)]
    public void What_shows_nothing_is_found_wherever_it_stands(int character)
    {
        var hidden = char.ConvertFromUtf32(character);
        Assert.False(VisibleText.IsIn($"agent{hidden}1"));
        Assert.False(VisibleText.IsIn($"agent-1{hidden}"));
        Assert.False(VisibleText.IsIn(hidden));
    }

    [Theory]
    [InlineData(" agent")]
    [InlineData("agent ")]
    [InlineData(" ")]
    public void A_space_at_an_end_is_not_visible(string text) => Assert.False(VisibleText.IsIn(text));

    // Not as a test's argument: the runner would replace what is no text.
    [Fact]
    public void Half_a_character_is_not_visible()
    {
        Assert.False(VisibleText.IsIn($"agent{(char)0xD83D}"));
        Assert.False(VisibleText.IsIn($"{(char)0xDD16}agent"));
    }
}
