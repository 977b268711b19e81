using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using CredBroker.Testing.Processes;

namespace CredBroker.IntegrationTests.Dev;

/// <summary>
/// The two commands that a newcomer runs first, as processes of their own: the quickstart, and the server in dev mode.
/// </summary>
public sealed partial class QuickstartTests
{
    [Fact]
    public async Task The_whole_story_happens()
    {
        await using var quickstart = Start("Quickstart.dll");

        await quickstart.Process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(quickstart.Process.ExitCode == 0, quickstart.Output);
        var steps = StepLine()
            .Matches(quickstart.Output)
            .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            .ToList();
        Assert.Equal(Enumerable.Range(1, 13), steps);
        Assert.Contains("All 13 steps happened as they should", quickstart.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', quickstart.Output);
        Assert.DoesNotContain("fail:", quickstart.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT", "Quickstart.dll", "--keep")]
    [InlineData("TERM", "Quickstart.dll", "--keep")]
    [InlineData("INT", "CredBroker.Server.dll", "--dev")]
    [InlineData("TERM", "CredBroker.Server.dll", "--dev")]
    public async Task Left_running_it_answers_what_it_says_to_try_and_ends_in_order_at_a_signal(
        string signal,
        string program,
        string argument
    )
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Needs POSIX signals.");
        Signals.SkipWhenIgnored(signal == "INT" ? 2 : 15);
        await using var process = Start(program, argument);

        var banner = await DevBannerText.OfAsync(process, "instance=triage-2");

        Assert.Equal(HttpStatusCode.Created, await banner.ExchangeAsync());
        await banner.EndsAtAsync(signal, process);
    }

    [Fact]
    public async Task An_argument_that_it_does_not_know_shows_how_it_is_used()
    {
        await using var quickstart = Start("Quickstart.dll", "--what");

        await quickstart.Process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(2, quickstart.Process.ExitCode);
        Assert.Contains("--keep", quickstart.Output, StringComparison.Ordinal);
    }

    private static ChildProcess Start(string program, params string[] arguments) =>
        ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, program), .. arguments]);

    [GeneratedRegex(@"^ ?(\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex StepLine();
}
