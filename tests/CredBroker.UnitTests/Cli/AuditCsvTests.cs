using CredBroker.Cli.Commands.Audit;

namespace CredBroker.UnitTests.Cli;

/// <summary>What agents write must be text in every spreadsheet, whatever separates its lists.</summary>
public sealed class AuditCsvTests
{
    private const string Leads = "=+-@\t\r\n＝＋－＠";

    [Theory]
    [InlineData("t-1", "t-1")]
    [InlineData("2030-01-01T00:00:00.000Z", "2030-01-01T00:00:00.000Z")]
    [InlineData("a, b", "\"a, b\"")]
    [InlineData("say \"yes\"", "\"say \"\"yes\"\"\"")]
    [InlineData("=1", "'=1")]
    [InlineData("＝1", "'＝1")]
    [InlineData("a\r\nb", "\"a\r\nb\"")]
    [InlineData("\t=1", "\"'\t'=1\"")]
    [InlineData("x;=1", "\"x;'=1\"")]
    [InlineData("x;\"=1\"", "\"x;\"\"'=1\"\"\"")]
    public void A_value_is_written_like_this(string value, string written) =>
        Assert.Equal(written, AuditCsv.Field(value));

    [Fact]
    public void No_cell_begins_a_formula_whatever_separates_cells()
    {
        var row = string.Join(
            ',',
            from lead in Leads
            from before in new[] { "", "x;", "x\t", "x\r", "x\n", "x,", "x;\"", "\";", "x;;" }
            select AuditCsv.Field($"{before}{lead}cmd|' /C calc'!A0")
        );
        foreach (var separators in new[] { ",\r\n", ";\r\n", "\t\r\n" })
        {
            // As a careless reader splits, and as one that takes away quotes.
            Assert.All(
                row.Split(separators.ToCharArray()),
                cell =>
                    Assert.False(
                        cell.TrimStart('"') is ['=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠', ..],
                        cell
                    )
            );
        }
    }
}
