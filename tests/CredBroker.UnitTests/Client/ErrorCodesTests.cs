using CredBroker.Client;
using CredBroker.Core.Requests;
using CredBroker.Testing.Processes;

namespace CredBroker.UnitTests.Client;

public sealed class ErrorCodesTests
{
    [Fact]
    public void The_table_holds_exactly_the_codes_of_the_core() =>
        Assert.Equal(
            Enum.GetValues<RefusalCode>().Select(code => new Refusal(code, "").CodeText).Order(StringComparer.Ordinal),
            ErrorCodes.All.Select(entry => entry.Code)
        );

    [Fact]
    public void Titles_are_unique() =>
        Assert.Equal(
            ErrorCodes.All.Count,
            ErrorCodes.All.Select(entry => entry.Title).Distinct(StringComparer.OrdinalIgnoreCase).Count()
        );

    [Fact]
    public void Every_code_travels_with_an_error_status_and_says_what_to_do_next() =>
        Assert.All(
            ErrorCodes.All,
            entry =>
            {
                Assert.InRange(entry.Status, 400, 599);
                Assert.False(entry.Title.EndsWith('.'));
                Assert.EndsWith(".", entry.NextStep, StringComparison.Ordinal);
            }
        );

    [Fact]
    public void The_page_of_codes_says_what_the_table_says()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, ".github", "docs", "errors.md"));
        var rows = string.Concat(
            ErrorCodes.All.Select(entry => $"| `{entry.Code}` | {entry.Status} | {entry.Title} | {entry.NextStep} |\n")
        );

        // Where they differ, this is what belongs below the page's heading row.
        Assert.Equal(rows, page[(page.IndexOf("|---|---|---|---|\n", StringComparison.Ordinal) + 18)..]);
    }

    [Fact]
    public void A_code_is_found_and_an_unknown_one_is_null()
    {
        Assert.Equal("Not allowed by policy", ErrorCodes.Find("CB2001")?.Title);
        Assert.Null(ErrorCodes.Find("CB2999"));
        Assert.Null(ErrorCodes.Find(null));
    }
}
