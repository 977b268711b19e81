using CredBroker.Cli.Output;

namespace CredBroker.UnitTests.Cli;

public sealed class CodeFrameTests
{
    [Fact]
    public void The_caret_stands_under_the_place() =>
        Assert.Equal(["  12 |   impact: tiny", "     |           ^"], Lines("  impact: tiny\r", 12, 11));

    [Fact]
    public void A_tab_takes_one_column_and_what_could_repaint_a_terminal_is_not_shown() =>
        Assert.Equal(["  1 |  a: \uFFFD[2J", "    |  ^"], Lines("\ta: \u001b[2J", 1, 2));

    [Fact]
    public void Of_a_long_line_the_part_around_the_place_is_shown()
    {
        var lines = Lines(new string('x', 500) + "HERE" + new string('y', 500), 3, 501);

        Assert.True(lines[0].Length < 120, lines[0]);
        Assert.Equal('H', lines[0][lines[1].IndexOf('^')]);
        Assert.EndsWith("…", lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(99)]
    public void A_column_outside_of_the_line_is_its_border(int column) =>
        Assert.Equal(column == 0 ? "    | ^" : "    |    ^", Lines("abc", 1, column)[1]);

    private static string[] Lines(string line, int number, int column) =>
        CodeFrame.Of(line, number, column).Split(Environment.NewLine);
}
