using CredBroker.Cli;
using CredBroker.Cli.Output;

namespace CredBroker.UnitTests.Cli;

public sealed class ShortIdsTests
{
    private const string One = "0199d3b0c0de7000800000000000abcd";
    private const string Same = "0199d3b0c0de7000800000000000abce";
    private const string Other = "0199d3b0c0df7000800000000000abcd";

    [Fact]
    public void As_much_of_each_is_shown_as_tells_all_of_a_list_apart()
    {
        Assert.Equal("0199d3b0c0de", ShortIds.Among([One, Other])(One));
        Assert.Equal("0199d3b0c0de", ShortIds.Among([One, One])(One));
        Assert.Equal(Same, ShortIds.Among([One, Same, Other])(Same));
        Assert.Equal("r-1", ShortIds.Among(["r-1", One])("r-1"));
    }

    [Theory]
    [InlineData(One, One)]
    [InlineData("0199d3b0c0de", One)]
    [InlineData("0199d3b0c0df", Other)]
    [InlineData("r-1", "r-1")]
    [InlineData("0199D3B0C0DE", "0199D3B0C0DE")]
    [InlineData("", "")]
    public async Task What_begins_one_id_is_that_id_and_what_begins_none_at_all_is_left_to_the_broker(
        string typed,
        string whole
    ) => Assert.Equal(whole, await FindAsync(typed, One, Other));

    [Theory]
    [InlineData(2, "too short to name one lease", "0199d3b")]
    [InlineData(2, One + ", " + Other, "0199d3b0")]
    [InlineData(3, "There is no lease whose id begins with 0199d3b1", "0199d3b1")]
    public async Task What_begins_more_than_one_or_none_is_refused_with_the_next_step(
        int exitCode,
        string text,
        string typed
    )
    {
        var refused = await Assert.ThrowsAsync<CliException>(async () => await FindAsync(typed, One, Other));

        Assert.Equal(exitCode, refused.ExitCode);
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
        Assert.NotEqual("", refused.Next);
    }

    [Fact]
    public async Task An_answer_that_begins_otherwise_is_never_taken() =>
        await Assert.ThrowsAsync<CliException>(async () => await FindAsync("0199d3b1", One));

    [Fact]
    public async Task A_whole_id_is_never_asked_for() =>
        Assert.Equal(One, await ShortIds.WholeAsync(One, "lease", "list", _ => throw new InvalidOperationException()));

    [Fact]
    public async Task Of_many_some_are_named() =>
        Assert.Contains(
            " and more. Nothing was done.",
            (
                await Assert.ThrowsAsync<CliException>(async () =>
                    await FindAsync("0199d3b0", [.. Enumerable.Range(0, 9).Select(digit => One[..31] + digit)])
                )
            ).Message,
            StringComparison.Ordinal
        );

    private static ValueTask<string> FindAsync(string typed, params string[] ids) =>
        ShortIds.WholeAsync(typed, "lease", "credbroker leases list", _ => ValueTask.FromResult(ids.AsEnumerable()));
}
